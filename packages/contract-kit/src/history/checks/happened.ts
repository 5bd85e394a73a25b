import { type CheckOptions, type CheckResult, Findings } from '../check.js';
import type { Disturbance } from '../disturbances.js';
import type { History } from '../history.js';

const MIN_OPERATIONS = 100;
/** A pause is so many times the longest one before the fault, and at least so long. */
const LONGER = 2;
const PAUSE_MICROS = 50_000;

/** Whether the history can prove anything: faults happened and were noticed, enough was done, the recording is sound. */
export function checkHappened(history: History, options: CheckOptions = {}): CheckResult {
  const findings = new Findings();
  for (const { what, event } of history.strays) findings.add(`the recording is wrong: ${what}`, {}, [event]);
  const faults = history.disturbances.filter(({ kind }) => kind === 'fault');
  const operations =
    history.sends.size + [...history.groups.values()].reduce((sum, { calls }) => sum + calls.length, 0);
  return findings.result(
    'happened',
    { faults: faults.length, operations },
    doubt(history, faults, operations, options),
  );
}

function doubt(history: History, faults: readonly Disturbance[], operations: number, options: CheckOptions) {
  const { minOperations = MIN_OPERATIONS, faultFree = false } = options;
  if (operations < minOperations) return `only ${operations} operations`;
  if (faultFree) return undefined;
  if (faults.length === 0) return 'there was no fault';
  const unproven = faults.find(({ heal }) => heal?.kind !== 'fault' || !((heal.proof ?? 0) > 0));
  if (unproven !== undefined) return `nothing proves that '${unproven.name}' happened`;
  const unnoticed = faults.find(({ name }) => !faults.some((fault) => fault.name === name && noticed(history, fault)));
  return unnoticed && `nobody noticed '${unnoticed.name}'`;
}

/** Who was hit told so, a send failed, a message came again, a process came or went, or confirmations or handler calls paused. */
function noticed(history: History, fault: Disturbance): boolean {
  const { from, to, heal } = fault;
  if (heal?.kind === 'fault' && (heal.noticed ?? 0) > 0) return true;
  const told = history.events.some(({ kind, t }) => NOTICES.has(kind) && t >= from && t <= to);
  return told || cameAgain(history, from) || paused(history, fault, 'sent') || paused(history, fault, 'begin');
}

const NOTICES: ReadonlySet<string> = new Set(['unknown', 'refused', 'member']);

function cameAgain({ groups }: History, from: number): boolean {
  return [...groups.values()].some(({ byId }) =>
    [...byId.values()].some((calls) => calls.some(({ begin }, i) => i > 0 && begin.t >= from)),
  );
}

/** While the fault lasted, or at its end, nothing of this kind happened for much longer than ever before it. */
function paused({ events }: History, { from, to }: Disturbance, kind: 'sent' | 'begin'): boolean {
  const times = events.filter((event) => event.kind === kind).map(({ t }) => t);
  let [before, during] = [0, 0];
  for (let i = 1; i < times.length; i += 1) {
    const [last = 0, next = 0] = [times[i - 1], times[i]];
    if (next < from) before = Math.max(before, next - last);
    else if (last <= to) during = Math.max(during, next - last);
  }
  return during > Math.max(PAUSE_MICROS, LONGER * before);
}
