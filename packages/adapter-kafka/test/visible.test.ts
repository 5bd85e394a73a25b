import { expect, test } from '@jest/globals';
import { assign } from '../src/internal/assignment.js';
import { endOf, visibleRecords } from '../src/internal/visible.js';
import type { StoredRecord } from '../src/internal/wire.js';

const record = (
  offset: number,
  producerId: string,
  kind: 'plain' | 'in transaction' | 'commit' | 'abort',
): StoredRecord => ({
  offset: String(offset),
  key: kind === 'abort' ? Buffer.from([0, 0, 0, 0]) : kind === 'commit' ? Buffer.from([0, 0, 0, 1]) : null,
  value: null,
  timestamp: '0',
  headers: {},
  isControlRecord: kind === 'commit' || kind === 'abort',
  batchContext: { producerId, inTransaction: kind !== 'plain' },
});

test('what was aborted is hidden, and only that', () => {
  const messages = [
    record(0, '1', 'in transaction'),
    record(1, '-1', 'plain'),
    record(2, '2', 'in transaction'),
    record(3, '1', 'abort'),
    record(4, '1', 'in transaction'),
    record(5, '2', 'commit'),
    record(6, '1', 'commit'),
    record(7, '2', 'in transaction'),
    record(8, '2', 'abort'),
  ];
  const abortedTransactions = [
    { producerId: '2', firstOffset: '7' },
    { producerId: '1', firstOffset: '0' },
  ];
  const visible = (from: number): number[] =>
    visibleRecords({ partition: 0, messages, abortedTransactions }, from).map(({ offset }) => Number(offset));
  expect(visible(0)).toEqual([1, 2, 4]);
  expect(visible(2)).toEqual([2, 4]);
});

test('reading goes on after the end of the last batch, whose last records compaction may have taken', () => {
  const plain = record(7, '-1', 'plain');
  const end = (batch: object): number =>
    endOf({
      partition: 0,
      abortedTransactions: null,
      messages: [record(3, '-1', 'plain'), { ...plain, batchContext: { ...plain.batchContext, ...batch } }],
    });
  expect(end({ firstOffset: '5', lastOffsetDelta: 4 })).toBe(10);
  expect(end({ firstOffset: '5', lastOffsetDelta: 2 })).toBe(8);
  expect(end({})).toBe(8);
  expect(endOf({ partition: 0, abortedTransactions: null, messages: [] })).toBe(0);
});

test('partitions are shared out evenly, and alike whatever the order of the members', () => {
  const shares = assign(['c', 'a', 'b'], [0, 1, 2, 3, 4]);
  expect(shares).toEqual(
    new Map([
      ['a', [0, 3]],
      ['b', [1, 4]],
      ['c', [2]],
    ]),
  );
  expect(assign(['b', 'c', 'a'], [0, 1, 2, 3, 4])).toEqual(shares);
  expect(assign(['a', 'b'], [0])).toEqual(
    new Map([
      ['a', [0]],
      ['b', []],
    ]),
  );
});
