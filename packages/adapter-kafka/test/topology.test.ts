import { describe, expect, test } from '@jest/globals';
import { parseOptions } from '../src/options.js';
import { creationOf } from '../src/topology.js';
import { topicSpec } from './support/harness.js';

const options = parseOptions({ brokers: ['a:1'], partitions: 12, replicationFactor: 3 });

describe('what a topic is created with', () => {
  test("the options' partitions, and the brokers' own retention", () =>
    expect(creationOf(topicSpec(), 'ns.t', options)).toEqual({
      topic: 'ns.t',
      numPartitions: 12,
      replicationFactor: 3,
    }));

  test('one lane is one partition, whatever the options say', () =>
    expect(creationOf(topicSpec({ oneLane: true }), 'ns.t', options).numPartitions).toBe(1));

  test('a ledger is compacted, and has no limit of time', () => {
    const { configEntries = [] } = creationOf(topicSpec({ retention: 'last-of-key' }), 'ns.t', options);
    const configured = new Map(configEntries.map(({ name, value }) => [name, value]));
    expect([configured.get('cleanup.policy'), configured.get('retention.ms')]).toEqual(['compact', '-1']);
  });
});
