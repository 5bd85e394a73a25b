import type { HistoryEvent } from '../../src/index.js';

const MS = 1_000;

/** Milliseconds instead of microseconds, and defaults for what a test does not care about. */
export const at = (t: number, process: string, rest: object): HistoryEvent =>
  ({ t: t * MS, process, ...rest }) as unknown as HistoryEvent;
export const sending = (t: number, n: number, key = 'k') => at(t, 'p', { kind: 'sending', id: `m${n}`, key, n });
export const sent = (t: number, n: number) => at(t, 'p', { kind: 'sent', id: `m${n}` });
export const begin = (t: number, n: number, process = 'c1', key = 'k') =>
  at(t, process, {
    kind: 'begin',
    group: 'g',
    id: `m${n}`,
    key,
    n,
    attempt: 1,
    redelivered: false,
    position: `${n}`,
  });
export const end = (t: number, n: number, process = 'c1', outcome = 'ack') =>
  at(t, process, { kind: 'end', group: 'g', id: `m${n}`, outcome });
export const settled = (t: number, n: number) => at(t, 'c1', { kind: 'settled', group: 'g', id: `m${n}` });
export const member = (t: number, process: string, change: string) =>
  at(t, process, { kind: 'member', group: 'g', change });
export const fault = (t: number, phase: string, rest: object = {}) =>
  at(t, 'nemesis', { kind: 'fault', name: 'cut', phase, ...rest });
export const letter = (t: number, n: number, change: string, process = 'c1', name = `l${n}`) =>
  at(t, process, { kind: 'letter', group: 'g', id: `m${n}`, letter: name, change });
export const listing = (t: number, count: number) => at(t, 'l', { kind: 'listing', group: 'g', count });
export const crash = (t: number, process: string, point: string, ...ns: readonly number[]) =>
  at(t, process, { kind: 'crash', point, ids: ns.map((n) => `m${n}`) });
