// Putting figures together: what was measured again takes the place of what was, and nothing else goes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellsOf } from '../../benchmarks/dist/src/report.js';
import { inShort, merged } from '../../benchmarks/dist/src/results.js';

const spread = (value) => ({ median: value, min: value, max: value });

const section = (engine, work, at, earliest = 0) => ({
  engine,
  work,
  title: work,
  at,
  commit: `of-${at}`,
  rounds: 1,
  rows: [
    {
      contestant: 'AnyMQ',
      perSecond: spread(1),
      cpuMicros: spread(1),
      ratio: spread(1),
      extraMicros: spread(0),
      deviation: { earliest, p50: spread(2), p99: spread(3), worst: 1_200 },
      rounds: [{ messages: 1 }],
    },
  ],
});

test('only the same work on the same engine is replaced, by the later of both, in whatever order they come', () => {
  const old = section('kafka', 'send', '1');
  const other = section('kafka', 'delay', '1');
  const fresh = section('kafka', 'send', '2');
  assert.deepEqual(merged([other, old, fresh]), [fresh, other]);
  assert.deepEqual(merged([fresh, other, old]), [fresh, other]);
});

test('engines and works stand in one order', () => {
  const sections = [section('rocketmq', 'send', '1'), section('memory', 'delay', '1'), section('memory', 'send', '1')];
  assert.deepEqual(
    merged(sections).map(({ engine, work }) => `${engine} ${work}`),
    ['memory send', 'memory delay', 'rocketmq send'],
  );
});

test('single rounds are left out of what is kept for tables, and a row says when and of what it is', () => {
  const short = inShort([section('kafka', 'send', '2026-01-02T03:04:05Z')]);
  assert.deepEqual(short[0].rows[0].rounds, []);
  assert.equal(cellsOf(short)[0].at(-1), '2026-01-02 of-2026-01-02T03:04:05Z');
});

test('a delay is judged by what its engine declares, and being early by nothing', () => {
  const verdict = (engine, earliest) => cellsOf([section(engine, 'delay', '1', earliest)])[0].at(-2);
  assert.equal(verdict('kafka', 0), '0 to 1000 ms late: missed (1200)');
  assert.equal(verdict('rocketmq', 0), '0 to 1500 ms late: reached (1200)');
  assert.equal(verdict('rocketmq', -1), '0 to 1500 ms late: missed (-1)');
});
