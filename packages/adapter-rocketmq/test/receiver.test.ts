import type { IncomingRecord, ReceiverSpec } from '@anymq/core/adapter';
import { expect, test } from '@jest/globals';
import { parseOptions } from '../src/options.js';
import { type ReceiverSettings, RocketmqReceiver } from '../src/receiver.js';
import { reply } from './support/reply.js';
import { testRuntime, topicSpec, until } from './support/runtime.js';

/** Takes whatever is set or added. */
class Anything {
  constructor() {
    // biome-ignore lint/correctness/noConstructorReturn: a request of the library, of which nobody reads anything here
    return new Proxy(this, { get: () => () => new Anything() });
  }
}

/** A broker with one answer, which acknowledges everything. */
function setUp() {
  const told: string[] = [];
  const records: IncomingRecord[] = [];
  const answers = [[reply(0), reply(1)]];
  const polls: (() => void)[] = [];
  const receive = () => {
    const answer = answers.shift();
    return answer === undefined ? new Promise((resolve) => polls.push(() => resolve([]))) : Promise.resolve(answer);
  };
  const acknowledged = { getStatus: () => undefined, getEntriesList: () => [] };
  const queue = { queueId: 0, permission: 4, broker: { id: 0, name: 'a', endpoints: {} }, toProtobuf() {} };
  const client = {
    rpc: { receive, call: async () => acknowledged },
    endpoints: {},
    protocol: {
      service: new Proxy({}, { get: () => Anything }),
      definition: { FilterExpression: Anything, FilterType: {}, Code: {} },
      resource: () => ({}),
      duration: () => ({}),
    },
    queues: async () => [queue],
    stop: async () => {},
  };
  const sink = {
    own: (name: string) => ({
      name,
      drain: async () => void told.push(`drained ${name}`),
      lost: () => void told.push(`lost ${name}`),
    }),
    deliver: (delivered: readonly IncomingRecord[]) => void records.push(...delivered),
    failed: () => {},
  };
  const spec = { topic: topicSpec('orders', { keyed: false }), maxInFlightBytes: 1_000 } as ReceiverSpec;
  const names = { topic: 'n_orders', group: 'n_g%orders', closed: () => {}, topology: { attempts: {} } };
  const options = parseOptions({ endpoints: '127.0.0.1:8081' });
  const settings = { ...names, runtime: testRuntime('n'), options, client } as unknown as ReceiverSettings;
  const receiver = new RocketmqReceiver(spec, sink, settings, 1);
  const close = (): Promise<void> => {
    const closing = receiver.close();
    for (const end of polls) end();
    return closing;
  };
  return { receiver, records, told, close };
}

test('core hears that an ownership is over when all that a poll brought is acknowledged: it would keep all of it for ever', async () => {
  const { receiver, records, told, close } = setUp();
  receiver.credit(10, 1_000);
  await until(() => records.length === 2, 'two messages');
  const [first, second] = records as [IncomingRecord, IncomingRecord];
  receiver.settle([first]);
  await until(() => (first as unknown as { acknowledged: boolean }).acknowledged, 'an acknowledgement');
  expect(told).toEqual([]);
  receiver.settle([second]);
  await until(() => told.length > 0, 'the end of the ownership');
  expect(told).toEqual(['drained a/0/0']);
  await close();
});
