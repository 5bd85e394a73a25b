// docs/wire-vectors.json is what the adapters write, field by field. `--write` renews the file: a change of it is a change of
// the wire format, which other systems rely on.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeRecord } from '../packages/adapter-kafka/dist/src/codec.js';
import { bucketOf, toProperties } from '../packages/adapter-rabbitmq/dist/src/codec.js';
import { encode } from '../packages/adapter-rocketmq/dist/src/codec.js';
import { root } from './lib/process.mjs';

const NAMESPACE = 'shop';
const FILE = join(root, 'docs/wire-vectors.json');
const TIME = Date.UTC(2026, 0, 1);
const message = {
  id: 'o-1-paid',
  key: 'o-1',
  body: '{"orderId":"o-1","amount":9.5}',
  headers: { source: 'web', empty: '', lines: 'a\nb' },
  time: TIME,
  type: 'orders.paid',
  contentType: 'application/json',
};

function vector(envelope, changes) {
  const record = { ...message, ...changes };
  const bytes = { ...record, body: Buffer.from(record.body) };
  const topic = {
    name: 'orders.paid',
    keyed: true,
    history: 'full',
    envelope,
    type: message.type,
    contentType: message.contentType,
  };
  const { headers, timestamp } = encodeRecord(bytes, topic, NAMESPACE, TIME);
  const { properties, messageGroup, keys, bornAt } = encode(bytes, topic, NAMESPACE);
  return {
    envelope,
    namespace: NAMESPACE,
    topic: topic.name,
    message: record,
    kafka: { topic: 'shop.orders.paid', key: record.key, timestamp, headers },
    rabbitmq: {
      exchange: 'shop.orders.paid',
      routingKeyOf16: String(bucketOf(record.key, 16)),
      properties: toProperties(bytes, topic, NAMESPACE),
    },
    rocketmq: { topic: 'shop_orders_paid', messageGroup, keys, bornAt, properties: Object.fromEntries(properties) },
  };
}

const vectors = [
  vector('lean', {}),
  vector('lean', { type: 'orders.refunded', key: 'ключ 1', headers: undefined }),
  vector('cloudevents', {}),
];
const text = `${JSON.stringify(vectors, null, 2)}\n`;
if (process.argv.includes('--write')) writeFileSync(FILE, text);
const written = existsSync(FILE) ? readFileSync(FILE, 'utf8') : '';
if (JSON.stringify(JSON.parse(written || 'null')) === JSON.stringify(vectors)) process.exit(0);
console.error(
  'docs/wire-vectors.json is not what the adapters write. If the wire format was meant to change: node scripts/check-vectors.mjs --write',
);
process.exit(1);
