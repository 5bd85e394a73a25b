import type { FaultEvent, HistoryEvent, MemberEvent } from './events.js';

/** A span in which duplicates may arise. */
export interface Disturbance {
  readonly kind: 'killed' | 'stopped' | 'fault';
  /** Name of the fault, or of the process. */
  readonly name: string;
  /** Whom it hit. Undefined: everybody. */
  readonly process: string | undefined;
  /** Microseconds. */
  readonly from: number;
  /** Infinity: it never ended. A kill ends at once. */
  readonly to: number;
  readonly begin: FaultEvent | MemberEvent;
  readonly heal: FaultEvent | MemberEvent | undefined;
}

type Edge = FaultEvent | MemberEvent;

/** Everything that was done to the run, by time. A fault that begins twice before it heals is one. */
export function disturbancesOf(events: readonly HistoryEvent[]): Disturbance[] {
  const open = new Map<string, Edge>();
  const found: Disturbance[] = [];
  for (const event of events) {
    const edge = edgeOf(event);
    if (edge === undefined) continue;
    const begin = open.get(edge.name);
    if (edge.opens && begin === undefined) open.set(edge.name, edge.event);
    if (edge.kills) found.push(disturbance(edge.event, edge.event));
    if (edge.opens || begin === undefined) continue;
    open.delete(edge.name);
    found.push(disturbance(begin, edge.event));
  }
  for (const begin of open.values()) found.push(disturbance(begin, undefined));
  return found.sort((a, b) => a.from - b.from);
}

/** How a fault or a member's change opens or ends a disturbance; undefined for everything else. */
function edgeOf(event: HistoryEvent): { name: string; opens: boolean; kills: boolean; event: Edge } | undefined {
  if (event.kind === 'fault') {
    return { name: `fault ${event.name} ${event.victim ?? ''}`, opens: event.phase === 'begin', kills: false, event };
  }
  if (event.kind !== 'member') return undefined;
  const name = `process ${event.process}`;
  const kills = event.change === 'killed';
  if (event.change === 'stopped') return { name, opens: true, kills, event };
  // A stopped process that is killed is not continued.
  return kills || event.change === 'continued' ? { name, opens: false, kills, event } : undefined;
}

function disturbance(begin: Edge, heal: Edge | undefined): Disturbance {
  const span = { from: begin.t, to: heal?.t ?? Number.POSITIVE_INFINITY, begin, heal };
  if (begin.kind === 'fault') return { kind: 'fault', name: begin.name, process: begin.victim, ...span };
  const kind = begin === heal ? 'killed' : 'stopped';
  return { kind, name: begin.process, process: begin.process, ...span };
}

/** When each process was killed. */
export class Lives {
  /** By process, in order of time: the kill, and when the name came back to life. */
  readonly #kills = new Map<string, { readonly at: number; until: number }[]>();

  constructor(events: readonly HistoryEvent[]) {
    for (const event of events) if (event.kind === 'member') this.#add(event);
  }

  /** When the process that began something at `t` was killed; not before `t`, as its last steps may be later than the record of the kill. */
  cutAt(process: string, t: number): number | undefined {
    const kill = this.#kills.get(process)?.find(({ until }) => until > t);
    return kill === undefined ? undefined : Math.max(kill.at, t);
  }

  #add({ process, change, t }: MemberEvent): void {
    const kills = this.#kills.get(process);
    const last = kills?.at(-1);
    if (change === 'started' && last?.until === Number.POSITIVE_INFINITY) last.until = t;
    if (change !== 'killed' || last?.until === Number.POSITIVE_INFINITY) return;
    const kill = { at: t, until: Number.POSITIVE_INFINITY };
    if (kills === undefined) this.#kills.set(process, [kill]);
    else kills.push(kill);
  }
}
