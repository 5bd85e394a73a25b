import { type Entry, Ledger } from '../../src/ledger.js';
import { changeId, type Status, sequenceOf } from '../../src/order.js';

export const idOf = (order: string, status: Status): string => changeId('run', order, status);

export const applied = (order: string, status: Status, times: { at?: number; deadline?: number } = {}): Entry => ({
  kind: 'applied',
  id: idOf(order, status),
  change: { order, status, sequence: sequenceOf(status), article: 'chair', at: 1_000, deadline: 1_000, ...times },
  effect: 'done',
});

export const failed = (order: string, status: Status, more: { applied?: boolean; last?: boolean } = {}): Entry => ({
  kind: 'failed',
  id: idOf(order, status),
  order,
  applied: false,
  last: false,
  error: 'Error: x',
  ...more,
});

export const outOfTurn = (order: string, status: Status): Entry => ({
  kind: 'out-of-turn',
  id: idOf(order, status),
  order,
});

export const duplicate = (order: string, status: Status): Entry => ({ kind: 'duplicate', id: idOf(order, status) });

export const started: Entry = { kind: 'started', pid: 1 };

export function ledgerOf(...entries: readonly Entry[]): Ledger {
  const ledger = new Ledger();
  for (const entry of entries) ledger.add(entry);
  return ledger;
}
