import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { judge, readHistory, type Verdict } from '../history/index.js';
import { namesWhatIsHeld } from './crash.js';
import { lastWords } from './last-words.js';
import { type ChaosLoad, ChaosRun } from './run.js';
import type { Scenario, Timing } from './scenario.js';
import { SCENARIOS } from './scenarios.js';
import type { ChaosBroker, ChaosTarget } from './target.js';

/** How to run chaos. */
export interface ChaosOptions {
  readonly load: ChaosLoad;
  readonly timing: Timing;
  /** Names of scenarios. @default all */
  readonly only?: readonly string[];
  /** Where histories are written; made where missing. */
  readonly folder: string;
  /** Most time of one scenario, milliseconds. @default 300_000 */
  readonly timeoutMs?: number;
  /** Told as soon as a scenario is over. */
  readonly onRow?: (row: ChaosRow) => void;
}

/** What one scenario did to one engine. */
export interface ChaosRow {
  readonly target: string;
  readonly scenario: string;
  readonly title: string;
  readonly verdict: Verdict;
  /** Why the scenario did not come to its end: what the verdict says of the rest does not make it pass. */
  readonly error?: unknown;
  /** With an error: the end of what the library said in each process. */
  readonly lastWords?: readonly string[];
  readonly seconds: number;
}

/** The full form: 20,000 messages over 200 keys. */
export const FULL: Pick<ChaosOptions, 'load' | 'timing'> = {
  load: { messages: 20_000, keys: 200, ratePerSecond: 800 },
  timing: { blackHoleMs: 20_000, churnMs: 12_000 },
};

/** The short form, for every commit. */
export const SHORT: Pick<ChaosOptions, 'load' | 'timing'> = {
  load: { messages: 2_000, keys: 200, ratePerSecond: 400 },
  timing: { blackHoleMs: 5_000, churnMs: 4_000 },
};

/**
 * Every scenario against one engine: those that hurt processes, or the way to the broker, side by side on one broker; then those that
 * break a broker, on another one and alone, because a broker that starts takes all that the machine has.
 */
export async function runChaos(target: ChaosTarget, options: ChaosOptions): Promise<readonly ChaosRow[]> {
  mkdirSync(options.folder, { recursive: true });
  const wanted = SCENARIOS.filter(({ name }) => options.only?.includes(name) ?? true);
  const breaking = wanted.filter(({ breaksBroker }) => breaksBroker === true);
  const proxied = wanted.filter((one) => one.proxied === true);
  const calm = wanted.filter((one) => !breaking.includes(one) && !proxied.includes(one));
  const rows = [
    ...(await onOneBroker(target, [proxied, ...pairs(calm)], options)),
    ...(await onOneBroker(target, [breaking], options)),
  ];
  return wanted.map(({ name }) => rows.find(({ scenario }) => scenario === name) as ChaosRow);
}

/** Lanes side by side, the scenarios of a lane one after another. */
async function onOneBroker(
  target: ChaosTarget,
  lanes: readonly (readonly Scenario[])[],
  options: ChaosOptions,
): Promise<readonly ChaosRow[]> {
  const rows: ChaosRow[] = [];
  if (lanes.every((lane) => lane.length === 0)) return rows;
  const broker = await target.start();
  const run = async (lane: readonly Scenario[]): Promise<void> => {
    for (const scenario of lane) {
      const row = await runScenario(target, broker, scenario, options);
      rows.push(row);
      options.onRow?.(row);
    }
  };
  try {
    await Promise.all(lanes.map(run));
  } finally {
    await broker.close();
  }
  return rows;
}

/** Two at once: enough to use the time that faults take, not so much that load becomes a fault of its own. */
const pairs = (scenarios: readonly Scenario[]): Scenario[][] => [
  scenarios.filter((_, i) => i % 2 === 0),
  scenarios.filter((_, i) => i % 2 === 1),
];

async function runScenario(
  target: ChaosTarget,
  broker: ChaosBroker,
  scenario: Scenario,
  { load, timing, folder, timeoutMs = 300_000 }: ChaosOptions,
): Promise<ChaosRow> {
  const begin = performance.now();
  const run = new ChaosRun({
    target,
    broker,
    load: { ...load, ratePerSecond: Math.min(load.ratePerSecond, target.maxRatePerSecond ?? Number.POSITIVE_INFINITY) },
    folder,
    namespace: `chaos-${randomUUID().slice(0, 8)}`,
    scenario: `${target.name}-${scenario.name}`,
    proxied: scenario.proxied ?? false,
    work: scenario.work ?? {},
    deadline: AbortSignal.timeout(timeoutMs),
  });
  const base = { target: target.name, scenario: scenario.name, title: scenario.title };
  const seconds = (): number => Math.round((performance.now() - begin) / 100) / 10;
  try {
    const members = await Promise.all([run.member(), run.member()]);
    const producer = await run.producer();
    await scenario.strike(run, members, timing);
    // It may be through already.
    producer.child.send('the fault is over', () => {});
    await run.drained(producer);
    await run.closeAll();
    if (scenario.work?.poisonedOneIn !== undefined) await run.listLetters();
    await run.end();
    return { ...base, verdict: verdictOf(run, scenario), seconds: seconds() };
  } catch (error) {
    broker.proxy.heal();
    await run.end();
    return { ...base, verdict: verdictOf(run, scenario), error, lastWords: lastWords(run.files), seconds: seconds() };
  }
}

/** What is judged of the order of messages. */
const ORDER = ['order', 'skip'] as const;

function verdictOf(run: ChaosRun, { name, graceful, killsBroker, work, redrives, except = [] }: Scenario): Verdict {
  const { load, target } = run.settings;
  const { delayMs } = work ?? {};
  const delayed = delayMs !== undefined;
  const { doublesDelayedMs = 0 } = target;
  const crashPoint = redrives ?? work?.crash;
  const settleWithinMs = (killsBroker === true ? target.forgetsMs : undefined) ?? target.settleWithinMs;
  return judge(readHistory(run.files), {
    groups: [run.group],
    staleMs: target.keepsMs ?? target.staleMs,
    minOperations: load.messages,
    redriven: redrives !== undefined,
    ...(namesWhatIsHeld(crashPoint) && { crashPoint }),
    except: delayed && target.delaysInOrder === false ? [...except, ...ORDER] : except,
    ...(graceful === true && { graceful: [name] }),
    ...(settleWithinMs !== undefined && { settleWithinMs }),
    ...(delayed && killsBroker === true && { doubles: { delayMs, withinMs: doublesDelayedMs } }),
    ...(target.placeOf !== undefined && { placeOf: target.placeOf }),
  });
}
