import { expect, test } from '@jest/globals';
import { READ_AHEAD_BYTES, ReadAhead } from '../src/internal/read-ahead.js';
import { ReadPartition } from '../src/internal/read-partition.js';
import type { StoredRecord } from '../src/internal/wire.js';

const record = (offset: number, bytes = 1): StoredRecord => ({
  offset: String(offset),
  key: null,
  value: Buffer.alloc(bytes),
  timestamp: '0',
  headers: {},
  isControlRecord: false,
  batchContext: { producerId: '-1', inTransaction: false },
});
const fetched = (...messages: StoredRecord[]) => ({ partition: 0, abortedTransactions: null, messages });

test('a partition takes what stands at its position and above, once', () => {
  const ahead = new ReadAhead();
  const partition = new ReadPartition('ns.t', 0, 5, ahead);
  expect(partition.accept(fetched(record(4), record(5), record(7)))).toBe(true);
  expect(partition.position).toBe(8);
  expect(partition.accept(fetched(record(5), record(7)))).toBe(false);
  expect(partition.accept(fetched())).toBe(false);
  expect(ahead.take().map(({ position, id }) => [position, id])).toEqual([
    ['0:5', 'ns.t/0/5'],
    ['0:7', 'ns.t/0/7'],
  ]);
  expect(ahead.take()).toEqual([]);
});

test('nothing more is asked for while enough waits', () => {
  const ahead = new ReadAhead();
  const partition = new ReadPartition('ns.t', 0, 0, ahead);
  expect(partition.wantsMore).toBe(true);
  partition.accept(fetched(record(0, READ_AHEAD_BYTES)));
  expect(partition.wantsMore).toBe(false);
  ahead.take();
  expect(partition.wantsMore).toBe(true);
});
