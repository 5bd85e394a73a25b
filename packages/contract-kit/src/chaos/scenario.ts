import type { FaultDetails } from '../history/index.js';
import type { CrashPoint } from './crash.js';
import type { ChaosRun } from './run.js';
import type { ChaosWork } from './work.js';

/** One fault, and when it strikes. */
export interface Scenario {
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** Everybody comes through the proxy. */
  readonly proxied?: boolean;
  /** Nobody else may use the broker meanwhile. */
  readonly breaksBroker?: boolean;
  /** What the broker had not made durable of settlements may come again. */
  readonly killsBroker?: boolean;
  /** No duplicate is excused but what a process held that was killed. */
  readonly graceful?: boolean;
  /** What everybody does beside sending and receiving. */
  readonly work?: ChaosWork;
  /** Who redrives letters dies there, and at the end none is left. */
  readonly redrives?: CrashPoint;
  /** Names of checks that do not hold of such work. */
  readonly except?: readonly string[];
  /** Begins with two members and a producer under way; resolves when the fault is over. */
  strike(run: ChaosRun, members: Members, timing: Timing): Promise<void>;
}

/** How long faults last, milliseconds. */
export interface Timing {
  readonly blackHoleMs: number;
  readonly churnMs: number;
}

export type Worker = Awaited<ReturnType<ChaosRun['member']>>;
export type Members = readonly [Worker, Worker];

/** When the fault strikes: in the middle of the flow. */
const STRIKE_AT = 0.3;

/** What shows that a fault happened: `proof` is positive only if it did. `t`: when it was over, if not now. */
export type Shown = Pick<FaultDetails, 'proof' | 'noticed' | 't'>;

/** Between the fault's begin and end nothing may be assumed. */
export async function fault(run: ChaosRun, name: string, make: () => Promise<Shown>, victim?: string): Promise<void> {
  await run.sent(STRIKE_AT);
  const about = victim === undefined ? {} : { victim };
  run.recorder.fault(name, 'begin', about);
  const shown = await make();
  run.recorder.fault(name, 'heal', { ...shown, ...about });
}

export async function restarted(run: ChaosRun, end: 'kill' | 'stop'): Promise<Shown> {
  const { broker } = run.settings;
  await broker[end]();
  await broker.restart();
  return { proof: 1 };
}
