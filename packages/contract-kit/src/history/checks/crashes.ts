import { type CheckOptions, type CheckResult, Findings } from '../check.js';
import type { CrashEvent } from '../events.js';
import type { History } from '../history.js';
import { lettersOf } from '../letters.js';

/**
 * A process died where it had to. What it held there was not settled, its letter not removed: so it came again. Cannot tell when
 * nobody died there, or what somebody died on did not come again.
 */
export function checkCrashes(history: History, { crashPoint }: CheckOptions = {}): CheckResult {
  const crashes = history.events.filter((event): event is CrashEvent => event.kind === 'crash');
  const there = crashes.filter(({ point }) => point === crashPoint);
  const blind = there.flatMap((crash) => crash.ids.filter((id) => !cameAgain(history, crash, id)));
  const figures = { crashes: crashes.length };
  return new Findings().result('crashes', figures, crashPoint && doubt(crashPoint, there, blind));
}

function doubt(point: string, there: readonly CrashEvent[], blind: readonly string[]): string | undefined {
  if (there.every(({ ids }) => ids.length === 0)) return `nobody died at '${point}'`;
  if (blind.length === 0) return undefined;
  return `'${blind[0]}' did not come again: nothing shows that who died at '${point}' held it (so of ${blind.length})`;
}

/** To another process, as that which happened before the crash: a call, or a redrive. */
function cameAgain(history: History, { t, process, point }: CrashEvent, id: string): boolean {
  const held = PROOFS[point] ?? called;
  const steps = [...history.groups.keys()].flatMap((group) => held(history, group, id));
  return (
    steps.some((one) => one.process === process && one.t <= t) &&
    steps.some((one) => one.process !== process && one.t > t)
  );
}

interface Step {
  readonly process: string;
  readonly t: number;
}

type Proof = (history: History, group: string, id: string) => readonly Step[];

const called: Proof = ({ groups }, group, id) => (groups.get(group)?.byId.get(id) ?? []).map(({ begin }) => begin);

/** By crash point. What somebody died on comes again as a call, where nothing else is said. */
const PROOFS: Readonly<Record<string, Proof>> = {
  /** Its letter was kept before, and it is given up again. */
  lettered: (history, group, id) => lettersOf(history, group).kept.get(id) ?? [],
  redriven: (history, group, id) => (lettersOf(history, group).redrives.get(id) ?? []).map(({ begin }) => begin),
};
