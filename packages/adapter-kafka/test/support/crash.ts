// A process of its own, to be killed: receives a topic and holds the messages of one key, acknowledges the others.
import { connect, FakeConsumer, observedRuntime, topicSpec } from './harness.js';

const [namespace = '', name = '', group = '', count = '0'] = process.argv.slice(2);
const adapter = await connect({ sessionTimeoutMs: 6_000 }, observedRuntime(namespace));
const consumer = await new FakeConsumer((record, self) => {
  if (record.key === 'k3') self.receiver?.hold(record, 1);
  else self.settle(record);
}).open(adapter, { topic: topicSpec({ name }), group });
await consumer.events.until(() => consumer.records.length === Number(count), 'all delivered');
process.stdout.write('delivered\n');
