import { type CheckOptions, type CheckResult, Findings, msOf } from '../check.js';
import type { Disturbance } from '../disturbances.js';
import type { Call, History } from '../history.js';

/**
 * After every fault sends are confirmed and handlers called again. Measured from the heal; where one process alone was hit, from the
 * beginning, and handling resumes when another process has a key that it had. The figures are the longest. Cannot tell when
 * nothing was left to be done after the heal.
 */
export function checkLiveness(history: History, options: CheckOptions = {}): CheckResult {
  const findings = new Findings();
  const faults = history.disturbances
    .filter(({ kind, to }) => kind === 'fault' && Number.isFinite(to))
    .map((one) =>
      // Nothing was out of order in between, so nothing has to heal.
      options.graceful?.includes(one.name) ? { ...one, to: one.from } : one,
    );
  const times = faults.map((fault) => ({
    fault,
    send: sendAfter(history, fault),
    handle: handleAfter(history, fault),
  }));
  for (const { fault, send, handle } of times) {
    late(findings, fault, 'sends', send, options.resumeSendWithinMs);
    late(findings, fault, 'handling', handle, options.resumeHandleWithinMs);
  }
  const blind = times.find(({ send, handle }) => send === undefined || handle === undefined);
  const figures = {
    resumeSendMs: Math.max(-1, ...times.map(({ send }) => send ?? -1)),
    resumeHandleMs: Math.max(-1, ...times.map(({ handle }) => handle ?? -1)),
  };
  return findings.result('liveness', figures, blind && `nothing was left to do after '${blind.fault.name}'`);
}

function late(findings: Findings, fault: Disturbance, what: string, ms: number | undefined, boundMs?: number): void {
  if (ms === undefined || boundMs === undefined || ms <= boundMs) return;
  findings.add(`${what} resumed ${ms} ms after '${fault.name}', more than ${boundMs}`, {}, [fault.begin, fault.heal]);
}

const sinceOf = ({ process, from, to }: Disturbance): number => (process === undefined ? to : from);

function sendAfter({ events }: History, fault: Disturbance): number | undefined {
  const since = sinceOf(fault);
  const first = events.find(({ kind, t }) => kind === 'sent' && t > since);
  return first && msOf(first.t - since);
}

function handleAfter({ groups }: History, fault: Disturbance): number | undefined {
  const since = sinceOf(fault);
  const calls = [...groups.values()].flatMap((group) => group.calls);
  const owned = fault.process === undefined ? undefined : keysBefore(calls, fault.process, since);
  const first = calls.find(
    ({ begin, key, process }) =>
      begin.t > since && (owned === undefined || (process !== fault.process && owned.has(key ?? ''))),
  );
  return first && msOf(first.begin.t - since);
}

/** Keys whose last call before was by the process. */
function keysBefore(calls: readonly Call[], process: string, t: number): ReadonlySet<string> {
  const last = new Map<string, string>();
  for (const call of calls) if (call.begin.t <= t) last.set(call.key ?? '', call.process);
  return new Set([...last].filter(([, owner]) => owner === process).map(([key]) => key));
}
