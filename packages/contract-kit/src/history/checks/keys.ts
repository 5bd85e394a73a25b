import { type CheckOptions, type CheckResult, Findings, named } from '../check.js';
import type { Call, GroupHistory, History } from '../history.js';

/** First deliveries of a key follow the order in which one process sent them. */
export function checkOrder(history: History): CheckResult {
  const findings = new Findings();
  for (const [group, key, calls] of keysOf(history)) {
    const latest = new Map<string, Call>();
    const seen = new Set<string>();
    for (const call of calls) {
      if (seen.has(call.id)) continue;
      seen.add(call.id);
      const sender = history.sends.get(call.id)?.process ?? '';
      const before = latest.get(sender);
      if (before !== undefined && before.begin.n > call.begin.n) {
        const what = `${named(call)}, number ${call.begin.n}, came after number ${before.begin.n} in group '${group.name}'`;
        findings.add(what, { id: call.id, key }, [before.begin, call.begin]);
      } else latest.set(sender, call);
    }
  }
  return findings.result('order', { orderBreaks: findings.violations.length });
}

/** No two calls of a key at once. A call of a killed process ends with it; one of a stopped process when `staleMs` are over. */
export function checkOverlap(history: History, options: CheckOptions = {}): CheckResult {
  const findings = new Findings();
  for (const [group, key, calls] of keysOf(history)) {
    let open: { readonly call: Call; readonly until: number } | undefined;
    for (const call of calls) {
      if (open !== undefined && open.until > call.begin.t) {
        const what = `${named(call)} began in '${call.process}' while '${open.call.id}' of its key ran in '${open.call.process}', group '${group.name}'`;
        findings.add(what, { id: call.id, key }, [open.call.begin, open.call.end, call.begin]);
      }
      const until = holdsUntil(call, history, options);
      if (open === undefined || until > open.until) open = { call, until };
    }
  }
  return findings.result('overlap', { overlaps: findings.violations.length });
}

/** A key goes on only when what was begun of it was acknowledged or given up, by whichever member. */
export function checkSkip(history: History): CheckResult {
  const findings = new Findings();
  for (const [group, key, calls] of keysOf(history)) {
    const first = new Map<string, Call>();
    for (const call of calls) if (!first.has(call.id)) first.set(call.id, call);
    let before: Call | undefined;
    for (const call of first.values()) {
      if (before !== undefined && decidedAt(group, before.id) > call.begin.t) {
        const what = `${named(call)} began before '${before.id}' of its key was acknowledged or given up in group '${group.name}'`;
        findings.add(what, { id: call.id, key }, [before.begin, before.end, call.begin]);
      }
      before = call;
    }
  }
  return findings.result('skip', { skips: findings.violations.length });
}

function decidedAt(group: GroupHistory, id: string): number {
  const decided = (group.byId.get(id) ?? []).filter(({ end }) => end !== undefined && end.outcome !== 'failed');
  return Math.min(...decided.map(({ end }) => end?.t ?? Number.POSITIVE_INFINITY));
}

function holdsUntil(call: Call, { disturbances }: History, { staleMs }: CheckOptions): number {
  const until = Math.min(call.end?.t ?? Number.POSITIVE_INFINITY, call.cutAt ?? Number.POSITIVE_INFINITY);
  // It is said before it is done: a call may still begin in between.
  const stop = disturbances.find(
    ({ kind, process, from, to }) =>
      kind === 'stopped' && process === call.process && from < until && to > Math.max(from, call.begin.t),
  );
  if (stop === undefined) return until;
  const staleAt = stop.from + 1_000 * (staleMs ?? 0);
  return stop.to <= staleAt ? until : Math.min(until, staleAt);
}

/** Calls by group and key, in order of their begins. Without a key nothing is ordered. */
function* keysOf(history: History): Generator<readonly [GroupHistory, string, readonly Call[]]> {
  for (const group of history.groups.values()) {
    const keys = new Map<string, Call[]>();
    for (const call of group.calls) {
      if (call.key === undefined) continue;
      const calls = keys.get(call.key);
      if (calls === undefined) keys.set(call.key, [call]);
      else calls.push(call);
    }
    for (const [key, calls] of keys) yield [group, key, calls];
  }
}
