import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { judge, readHistory, type Verdict } from '../history/index.js';
import { namesWhatIsHeld } from './crash.js';
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
  /** Most time of one scenario, milliseconds. @default 180_000 */
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
 * Every scenario against one engine: those that hurt only processes side by side on one broker, those that hurt the way to it
 * one after another, those that break a broker on another one.
 */
export async function runChaos(target: ChaosTarget, options: ChaosOptions): Promise<readonly ChaosRow[]> {
  mkdirSync(options.folder, { recursive: true });
  const wanted = SCENARIOS.filter(({ name }) => options.only?.includes(name) ?? true);
  const breaking = wanted.filter(({ breaksBroker }) => breaksBroker === true);
  const proxied = wanted.filter((one) => one.proxied === true);
  const calm = wanted.filter((one) => !breaking.includes(one) && !proxied.includes(one));
  const lanes = [breaking, proxied, ...pairs(calm)];
  const rows: ChaosRow[] = [];
  const [breakable, steady] = [
    breaking.length > 0 ? target.start() : undefined,
    proxied.length + calm.length > 0 ? target.start() : undefined,
  ];
  try {
    await Promise.all(
      lanes.map(async (lane) => {
        const broker = await (lane === breaking ? breakable : steady);
        for (const scenario of lane) {
          const row = await runScenario(target, broker as ChaosBroker, scenario, options);
          rows.push(row);
          options.onRow?.(row);
        }
      }),
    );
  } finally {
    await Promise.all([breakable, steady].map(async (broker) => (await broker)?.close()));
  }
  return wanted.map(({ name }) => rows.find(({ scenario }) => scenario === name) as ChaosRow);
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
  { load, timing, folder, timeoutMs = 180_000 }: ChaosOptions,
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
    return { ...base, verdict: verdictOf(run, scenario), error, seconds: seconds() };
  }
}

/** What is judged of the order of messages. */
const ORDER = ['order', 'skip'] as const;

function verdictOf(run: ChaosRun, { name, graceful, killsBroker, work, redrives, except = [] }: Scenario): Verdict {
  const { load, target } = run.settings;
  const delayed = work?.delayMs !== undefined;
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
    ...(target.placeOf !== undefined && { placeOf: target.placeOf }),
  });
}
