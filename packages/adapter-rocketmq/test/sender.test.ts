import type { TopicSpec } from '@anymq/core/adapter';
import { expect, test } from '@jest/globals';
import type { Publisher } from '../src/internal/calls.js';
import { RocketmqSender } from '../src/sender.js';
import { record, testRuntime, topicSpec } from './support/runtime.js';

const senderOf = (changes: Partial<TopicSpec>): RocketmqSender =>
  new RocketmqSender(topicSpec('t', changes), {
    runtime: testRuntime('ns'),
    publisher: {} as Publisher,
    concurrentSends: 64,
  });

test.each([false, true])('of a keyed topic (one lane: %j) only messages of one key wait for each other', (oneLane) => {
  const sender = senderOf({ keyed: true, oneLane });
  const lanes = Array.from({ length: 2_000 }, (_, i) => sender.laneOf(record('id', `k${i % 500}`, '')));
  expect([sender.limits.writes, new Set(lanes).size]).toEqual([1, 64]);
  expect(lanes.slice(0, 500)).toEqual(lanes.slice(500, 1_000));
});

test('of a topic without keys nothing waits for anything', () => {
  const sender = senderOf({ keyed: false });
  expect([sender.limits.writes, sender.laneOf(record('id', undefined, ''))]).toEqual([64, 0]);
});
