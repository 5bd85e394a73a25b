// One measurement, in a process of its own: nobody's garbage and nobody's optimised code touches another's figures.

import { benchOf } from './bench.js';
import type { Place } from './contestant.js';
import { type Load, STAGES, type Stage } from './works.js';

/** What the parent wants. */
export interface Job extends Pick<Load, 'count'> {
  readonly place: Place;
  readonly contestant: string;
  readonly stage: Stage;
}

async function main(job: Job): Promise<void> {
  const { contests } = await benchOf(job.place.engine);
  const contestant = contests.flatMap(({ contestants }) => contestants).find(({ name }) => name === job.contestant);
  if (contestant === undefined) throw new Error(`there is no contestant '${job.contestant}'`);
  const opened = await contestant.open(job.place);
  const beside = await contests.find(({ work }) => work === job.stage)?.beside?.open(job.place);
  const figures = await STAGES[job.stage](opened, { count: job.count, beside });
  // A filled group must be left in good order; a measured one is removed.
  if (job.stage === 'fill') await opened.close();
  process.send?.(figures, () => process.exit(0));
}

await main(JSON.parse(process.argv[2] as string) as Job);
