import { type Disturbance, disturbancesOf, Lives } from './disturbances.js';
import type {
  BeginEvent,
  EndEvent,
  HeldEvent,
  HistoryEvent,
  PassedEvent,
  RefusedEvent,
  SendingEvent,
  SentEvent,
  SettledEvent,
  UnknownEvent,
  WritingEvent,
} from './events.js';

/** One send, from the asking to its outcome. No outcome: the process died, or the history ends before. */
export interface Send {
  readonly id: string;
  readonly key: string | undefined;
  readonly n: number;
  readonly process: string;
  readonly sending: SendingEvent;
  /** When it was first written, microseconds: `sending` where its process tells no writes, infinity where it never was. */
  readonly writtenAt: number;
  readonly outcome: SentEvent | RefusedEvent | UnknownEvent | undefined;
}

/** One handler call. */
export interface Call {
  readonly id: string;
  readonly key: string | undefined;
  readonly group: string;
  readonly process: string;
  readonly begin: BeginEvent;
  readonly end: EndEvent | undefined;
  /** When its acknowledgement was known to stand on the broker, microseconds. */
  readonly settledAt: number | undefined;
  /** When its process was killed, whether or not the call had ended. */
  readonly cutAt: number | undefined;
}

/** A message in the hands of one who sends it on. */
export interface Hold {
  readonly process: string;
  readonly step: string;
  /** Microseconds. */
  readonly from: number;
  /** When its settlement was handed over, or its process was killed. Infinity: neither is known. */
  readonly to: number;
}

/** What one group saw. */
export interface GroupHistory {
  readonly name: string;
  /** In order of their begins. */
  readonly calls: readonly Call[];
  readonly byId: ReadonlyMap<string, readonly Call[]>;
}

/** An event that does not fit the ones before it: the recording is wrong, not what was recorded. */
export interface Stray {
  readonly what: string;
  readonly event: HistoryEvent;
}

/** What senders and handlers of several processes saw, put together. */
export interface History {
  /** By time. */
  readonly events: readonly HistoryEvent[];
  /** Last lines that were cut off by the death of their writer. */
  readonly torn: number;
  readonly sends: ReadonlyMap<string, Send>;
  readonly groups: ReadonlyMap<string, GroupHistory>;
  /** By message, those who sent it on, in the order in which it came to them. */
  readonly holds: ReadonlyMap<string, readonly Hold[]>;
  readonly disturbances: readonly Disturbance[];
  readonly strays: readonly Stray[];
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type OpenGroup = { name: string; calls: Writable<Call>[]; byId: Map<string, Writable<Call>[]> };

/** Puts events together. They may come in any order; those of one moment keep theirs. */
export function historyOf(events: readonly HistoryEvent[], torn = 0): History {
  const sorted = events.toSorted((a, b) => a.t - b.t);
  const builder = new Builder(sorted);
  for (const event of sorted) builder.add(event);
  const { sends, groups, holds, strays } = builder;
  return { events: sorted, torn, sends, groups, holds, strays, disturbances: disturbancesOf(sorted) };
}

class Builder {
  readonly sends = new Map<string, Writable<Send>>();
  readonly groups = new Map<string, OpenGroup>();
  readonly holds = new Map<string, Writable<Hold>[]>();
  readonly strays: Stray[] = [];
  readonly #lives: Lives;
  /** Processes that tell their writes. */
  readonly #writers: ReadonlySet<string>;

  constructor(events: readonly HistoryEvent[]) {
    this.#lives = new Lives(events);
    this.#writers = new Set(events.filter(({ kind }) => kind === 'writing').map(({ process }) => process));
  }

  add(event: HistoryEvent): void {
    if (event.kind === 'sending') this.#sending(event);
    else if (event.kind === 'writing') this.#writing(event);
    else if (event.kind === 'begin') this.#begin(event);
    else if (event.kind === 'end') this.#end(event);
    else if (event.kind === 'settled') this.#settled(event);
    else if (event.kind === 'held') this.#held(event);
    else if (event.kind === 'passed') this.#passed(event);
    else if (event.kind === 'member') this.#member(event);
    else if (event.kind === 'sent' || event.kind === 'refused' || event.kind === 'unknown') this.#outcome(event);
  }

  #sending(sending: SendingEvent): void {
    const { id, key, n, process } = sending;
    if (this.sends.has(id)) this.#stray('the id was sent before', sending);
    else {
      const writtenAt = this.#writers.has(process) ? Number.POSITIVE_INFINITY : sending.t;
      this.sends.set(id, { id, key, n, process, sending, writtenAt, outcome: undefined });
    }
  }

  /** A record that nobody recorded sending, as a warm-up, is nobody's concern. */
  #writing({ id, t }: WritingEvent): void {
    const send = this.sends.get(id);
    if (send !== undefined) send.writtenAt = Math.min(send.writtenAt, t);
  }

  #outcome(outcome: SentEvent | RefusedEvent | UnknownEvent): void {
    const send = this.sends.get(outcome.id);
    if (send === undefined) this.#stray('an outcome of what nobody sent', outcome);
    else if (send.outcome !== undefined) this.#stray(`a second outcome after '${send.outcome.kind}'`, outcome);
    else send.outcome = outcome;
  }

  #begin(begin: BeginEvent): void {
    const { id, key, group: name, process } = begin;
    const cutAt = this.#lives.cutAt(process, begin.t);
    const call = { id, key, group: name, process, begin, end: undefined, settledAt: undefined, cutAt };
    const group = this.#group(name);
    group.calls.push(call);
    const calls = group.byId.get(id);
    if (calls === undefined) group.byId.set(id, [call]);
    else calls.push(call);
  }

  #end(end: EndEvent): void {
    const call = this.#latest(end, (one) => one.end === undefined);
    if (call === undefined) this.#stray('an end without its begin', end);
    else call.end = end;
  }

  #settled(settled: SettledEvent): void {
    const call = this.#latest(settled, (one) => one.end?.outcome === 'ack');
    if (call === undefined) this.#stray('settled without an acknowledgement', settled);
    else call.settledAt ??= settled.t;
  }

  #held({ id, step, process, t }: HeldEvent): void {
    const hold = { process, step, from: t, to: this.#lives.cutAt(process, t) ?? Number.POSITIVE_INFINITY };
    const holds = this.holds.get(id);
    if (holds === undefined) this.holds.set(id, [hold]);
    else holds.push(hold);
  }

  #passed(passed: PassedEvent): void {
    const { id, step, process, t } = passed;
    const mine = (hold: Hold): boolean => hold.process === process && hold.step === step && hold.to > t;
    const hold = this.holds.get(id)?.find(mine);
    if (hold === undefined) this.#stray('passed on without being held', passed);
    else hold.to = t;
  }

  /** A close that resolved has settled whatever the member had acknowledged. */
  #member(event: HistoryEvent & { kind: 'member' }): void {
    if (event.group !== '') this.#group(event.group);
    if (event.change !== 'closed') return;
    for (const group of this.groups.values()) if (event.group === '' || event.group === group.name) close(group, event);
  }

  #latest({ group, id, process }: EndEvent | SettledEvent, fits: (call: Call) => boolean): Writable<Call> | undefined {
    const calls = this.groups.get(group)?.byId.get(id);
    return calls?.findLast((call) => call.process === process && fits(call));
  }

  #group(name: string): OpenGroup {
    const known = this.groups.get(name);
    if (known !== undefined) return known;
    const group: OpenGroup = { name, calls: [], byId: new Map() };
    this.groups.set(name, group);
    return group;
  }

  #stray(what: string, event: HistoryEvent): void {
    this.strays.push({ what, event });
  }
}

function close(group: OpenGroup, { process, t }: HistoryEvent): void {
  for (const call of group.calls) {
    if (call.process === process && call.end?.outcome === 'ack') call.settledAt ??= t;
  }
}
