import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { benchOf, type Contest } from './bench.js';
import type { Job } from './child.js';
import type { Contestant, Engine, Place } from './contestant.js';
import type { Figures } from './meter.js';
import type { Stage } from './works.js';

const CHILD_TIMEOUT_MS = 240_000;

export interface RunOptions {
  readonly engine: Engine;
  readonly connection: Place['connection'];
  readonly contest: Contest;
  readonly rounds: number;
  /** Folder for processor profiles of what is measured. */
  readonly profiles: string | undefined;
  readonly note: (line: string) => void;
}

/** What one contestant did in all rounds. */
export interface Entry {
  readonly contestant: string;
  readonly about: string;
  readonly rounds: Figures[];
}

/**
 * Every round measures every contestant once, each in a process of its own, in turning order: a machine that gets busier
 * meanwhile does so for all of them. Each measurement has topic and group of its own, removed afterwards.
 */
export async function runContest(options: RunOptions): Promise<Entry[]> {
  const { contest } = options;
  const entries = contest.contestants.map(({ name, about }): Entry => ({ contestant: name, about, rounds: [] }));
  const rounds = Math.min(options.rounds, contest.rounds ?? options.rounds);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < entries.length; turn++) {
      const index = (round + turn) % entries.length;
      const figures = await measure(options, index);
      entries[index]?.rounds.push(figures);
      options.note(
        `${options.engine} ${contest.work} ${round + 1}/${rounds} ${entries[index]?.contestant}: ${brief(figures)}`,
      );
    }
  }
  return entries;
}

async function measure(options: RunOptions, index: number): Promise<Figures> {
  const { engine, connection, contest, profiles } = options;
  const contestant = contest.contestants[index] as Contestant;
  const namespace = `bench-${randomUUID().slice(0, 8)}`;
  const place: Place = { engine, connection, namespace, keyed: contest.keyed ?? false };
  const count = contest.fill?.[index] ?? 0;
  const stage: Stage = contest.stage ?? contest.work;
  try {
    if (count > 0 && stage !== 'inside') {
      await child({ place, count, contestant: (contestant.filler ?? contestant).name, stage: 'fill' }, undefined);
    }
    return await child({ place, count, contestant: contestant.name, stage }, profiles);
  } finally {
    await (await benchOf(engine)).remove(connection, [namespace]);
  }
}

function child(job: Job, profiles: string | undefined): Promise<Figures> {
  const execArgv = ['--enable-source-maps', '--no-warnings'];
  if (profiles !== undefined) {
    const name = `${job.place.engine}-${job.stage}-${job.contestant.replaceAll(/\W+/g, '-')}-${job.place.namespace}`;
    execArgv.push('--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${name}.cpuprofile`);
  }
  return new Promise((resolve, reject) => {
    const process = fork(join(import.meta.dirname, 'child.js'), [JSON.stringify(job)], {
      execArgv,
      timeout: CHILD_TIMEOUT_MS,
    });
    let figures: Figures | undefined;
    process.on('message', (message) => {
      figures = message as Figures;
    });
    process.on('error', reject).on('exit', (code, signal) => {
      if (figures !== undefined) resolve(figures);
      else reject(new Error(`${job.contestant} (${job.stage} on ${job.place.engine}) ended with ${signal ?? code}`));
    });
  });
}

function brief({ messages, seconds, cpuMicros, own, latency, deviation, peakMb }: Figures): string {
  const parts = [`${Math.round(messages / seconds)}/s`, `${cpuMicros.toFixed(1)} us CPU`];
  if (own !== undefined) parts.push(`${own.micros.toFixed(2)} us above ${own.besideMicros.toFixed(1)}`);
  if (latency !== undefined) parts.push(`p50 ${latency.p50.toFixed(2)} ms, p99 ${latency.p99.toFixed(2)} ms`);
  if (deviation !== undefined) parts.push(`late p50 ${deviation.p50} ms, p99 ${deviation.p99} ms`);
  if (peakMb !== undefined) parts.push(`peak ${Math.round(peakMb)} MB`);
  return parts.join(', ');
}
