import { describe, expect, test } from '@jest/globals';
import { murmur2 } from '../src/internal/murmur2.js';
import { Partitioner } from '../src/internal/partitioner.js';
import { outgoing, topicSpec } from './support/harness.js';

describe('murmur2', () => {
  // The values of the Java client's own test (UtilsTest.testMurmur2).
  test.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('%s is what Java makes of it', (text, hash) => {
    expect(murmur2(Buffer.from(text))).toBe(hash);
  });
});

describe('partitions', () => {
  const keyed = topicSpec();
  const keyless = topicSpec({ keyed: false });

  test('a key always goes to the same partition, as in Java', () => {
    const partitioner = new Partitioner(8, 0);
    for (const key of ['21', 'foobar', 'abc', 'ключ', '鍵'.repeat(85)]) {
      const wanted = (murmur2(Buffer.from(key)) & 0x7fffffff) % 8;
      expect(partitioner.partitionOf(outgoing(keyed, { key }))).toBe(wanted);
    }
  });

  test('records without a key stay together and take turns', () => {
    const partitioner = new Partitioner(4, 0);
    const chosen = Array.from({ length: 400 }, () => partitioner.partitionOf(outgoing(keyless)));
    expect([0, 100, 200, 300].map((i) => new Set(chosen.slice(i, i + 100)).size)).toEqual([1, 1, 1, 1]);
    expect(new Set(chosen).size).toBe(4);
  });

  test('a busy partition is left to fill up only when three are busy', () => {
    const partitioner = new Partitioner(8, 0);
    const used = new Set<number>();
    for (let i = 0; i < 50; i++) {
      const partition = partitioner.partitionOf(outgoing(keyless));
      used.add(partition);
      partitioner.began(partition);
    }
    expect(used.size).toBe(3);
  });

  test('one partition is enough', () => {
    const partitioner = new Partitioner(1, 0);
    partitioner.began(0);
    expect(Array.from({ length: 250 }, () => partitioner.partitionOf(outgoing(keyless))).every((p) => p === 0)).toBe(
      true,
    );
  });
});
