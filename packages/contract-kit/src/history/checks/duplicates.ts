import { type CheckOptions, type CheckResult, type Doubles, Findings, named } from '../check.js';
import type { Disturbance } from '../disturbances.js';
import type { Call, GroupHistory, History, Hold, Send } from '../history.js';
import { lettersOf, type Redrive } from '../letters.js';
import { type Settleable, settleableOf } from '../settling.js';

const SETTLE_WITHIN_MS = 1_000;

/**
 * A message comes once, once again where its dead letter was redriven, and once more for every way in which a disturbance found it in
 * flight: its send written and unanswered (the resend is a second copy), a call of it not yet settled (the copy comes again), its
 * letter redriven and not removed (it is redriven again), and the first two in each step between, where others send it on. `allowed`
 * counts all.
 */
export function checkDuplicates(history: History, options: CheckOptions = {}): CheckResult {
  const findings = new Findings();
  const graceful = new Set(options.graceful ?? []);
  const excuses = history.disturbances.filter(({ kind, name }) => kind !== 'fault' || !graceful.has(name));
  const figures = { duplicates: 0, allowed: 0 };
  for (const group of history.groups.values()) {
    const waysOf = waysIn(history, group, options);
    for (const [id, calls] of group.byId) {
      const { redrives, inFlight } = waysOf(id, calls);
      const wanted = redrives.length === 0 ? 1 : 2;
      const allowed = excuses.reduce((sum, one) => sum + inFlight(one), 0);
      figures.allowed += allowed;
      figures.duplicates += Math.max(0, calls.length - wanted);
      if (calls.length - wanted > allowed) report(findings, group, calls, allowed);
    }
  }
  return findings.result('duplicates', figures);
}

const NEITHER: Doubles = { delayMs: 0, withinMs: 0 };

interface Ways {
  readonly redrives: readonly Redrive[];
  /** In how many ways the disturbance found it in flight. */
  readonly inFlight: (one: Disturbance) => number;
}

/** How a message may be in flight. */
function waysIn(history: History, group: GroupHistory, options: CheckOptions) {
  const { settleWithinMs, doubles = NEITHER, placeOf } = options;
  const letters = lettersOf(history, group.name);
  const lateMicros = 1_000 * (settleWithinMs ?? SETTLE_WITHIN_MS);
  const settling = { lateMicros, settleable: settleableOf(group, letters, placeOf) };
  return (id: string, calls: readonly Call[]): Ways => {
    const redrives = letters.redrives.get(id) ?? [];
    const send = history.sends.get(id);
    const holds = history.holds.get(id) ?? [];
    const inFlight = (one: Disturbance): number =>
      Number(called(one, calls, settling)) +
      Number(sending(one, send, 1_000 * doubles.withinMs)) +
      Number(lettingGo(one, send, doubles)) +
      Number(redriving(one, redrives)) +
      holds.reduce((sum, hold) => sum + passing(one, hold, lateMicros), 0);
    return { redrives, inFlight };
  };
}

function report(findings: Findings, group: GroupHistory, calls: readonly Call[], allowed: number): void {
  const [first] = calls;
  if (first === undefined) return;
  const what = `${named(first)} was handled ${calls.length} times in group '${group.name}', and in flight ${allowed} times at a disturbance`;
  findings.add(
    what,
    first,
    calls.flatMap(({ begin, end }) => [begin, end]),
  );
}

interface Settling {
  readonly lateMicros: number;
  readonly settleable: Settleable;
}

/** A message is redriven, and its letter is not known to be removed. */
const redriving = ({ from, to, process }: Disturbance, redrives: readonly Redrive[]): boolean =>
  redrives.some(
    (one) => (process === undefined || process === one.process) && one.begin.t <= to && one.removedAt >= from,
  );

function called(
  { from, to, process }: Disturbance,
  calls: readonly Call[],
  { lateMicros, settleable }: Settling,
): boolean {
  return calls.some((call) => {
    if (process !== undefined && call.process !== process) return false;
    const settling = settleable(call) + lateMicros;
    const until = Math.min(settling, call.settledAt ?? Number.POSITIVE_INFINITY);
    return call.begin.t <= to && until >= from;
  });
}

/**
 * One who sends a message on is as good as a handler and as a sender: what had come to it and was not settled in its step comes again
 * to somebody, and what it was about to write it may write twice.
 */
function passing({ from, to, process, kind }: Disturbance, hold: Hold, lateMicros: number): number {
  if (process !== undefined && hold.process !== process) return 0;
  const again = hold.from <= to && hold.to + lateMicros >= from;
  // The dead write nothing once more.
  const twice = kind !== 'killed' && hold.from <= to && hold.to >= from;
  return Number(again) + Number(twice);
}

/** It was due just before: the broker does not know any more that it let it go. */
function lettingGo({ from, process }: Disturbance, send: Send | undefined, { delayMs, withinMs }: Doubles): boolean {
  if (send === undefined || process !== undefined) return false;
  const due = send.writtenAt + 1_000 * delayMs;
  return due <= from && due + 1_000 * withinMs > from;
}

function sending({ from, to, process }: Disturbance, send: Send | undefined, doublesMicros: number): boolean {
  if (send === undefined) return false;
  const until = send.outcome?.kind === 'sent' ? send.outcome.t + doublesMicros : Number.POSITIVE_INFINITY;
  return (process === undefined || send.process === process) && send.writtenAt <= to && until >= from;
}
