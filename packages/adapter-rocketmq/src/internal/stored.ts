/** The form in which brokers store messages, and give them to who reads by offset. */
import type { NativeContent } from '../codec.js';
import { inflate } from './inflate.js';

const MAGIC_V1 = 0xdaa320a7;
const MAGIC_V2 = 0xdaa320ab;
const COMPRESSED = 1;
const BORN_HOST_V6 = 1 << 4;
const STORE_HOST_V6 = 1 << 5;
const V4_HOST_BYTES = 4 + 4;
const V6_HOST_BYTES = 16 + 4;
/** Where the fields of one message are, from its first byte on. */
const AT = { magic: 4, queueOffset: 20, physicalOffset: 28, sysFlag: 36, bornAt: 40, bornHost: 48 } as const;
const STORED_AT_BYTES = 8;
/** Number of redeliveries, and of a prepared transaction. */
const COUNTS_BYTES = 4 + 8;
const NAME_END = '\u0001';
const PROPERTY_END = '\u0002';
const MESSAGE_ID = 'UNIQ_KEY';
const MESSAGE_GROUP = '__SHARDINGKEY';
/** Properties of the broker's own, which its proxy gives to no receiver. */
const BROKERS_OWN = new Set(
  [
    'TRACE_ON MSG_REGION KEYS TAGS WAIT DELAY RETRY_TOPIC REAL_TOPIC REAL_QID TRAN_MSG PGROUP MIN_OFFSET MAX_OFFSET',
    'BUYER_ID ORIGIN_MESSAGE_ID TRANSFER_FLAG CORRECTION_FLAG MQ2_FLAG RECONSUME_TIME UNIQ_KEY MAX_RECONSUME_TIMES',
    'CONSUME_START_TIME POP_CK POP_CK_OFFSET 1ST_POP_TIME TRAN_PREPARED_QUEUE_OFFSET DUP_INFO EXTEND_UNIQ_INFO',
    'INSTANCE_ID CORRELATION_ID REPLY_TO_CLIENT TTL ARRIVE_TIME PUSH_REPLY_TIME CLUSTER MSG_TYPE',
    'INNER_MULTI_QUEUE_OFFSET TIMER_DELAY_MS TIMER_DELAY_SEC TIMER_DELIVER_MS TIMER_ENQUEUE_MS TIMER_DEQUEUE_MS',
    'TIMER_ROLL_TIMES TIMER_OUT_MS TIMER_DEL_UNIQKEY TIMER_DELAY_LEVEL __BORNHOST BORN_TIMESTAMP DLQ_ORIGIN_TOPIC',
    'DLQ_ORIGIN_MESSAGE_ID __CRC32#',
  ]
    .join(' ')
    .split(' '),
);

/** All messages of an answer, in order. Bodies are copies: one that is kept does not keep the whole answer. */
export function decodeStored(bytes: Buffer): NativeContent[] {
  const messages: NativeContent[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const length = rest.readInt32BE(0);
    messages.push(decodeOne(rest.subarray(0, length)));
    rest = rest.subarray(length);
  }
  return messages;
}

function decodeOne(bytes: Buffer): NativeContent {
  const sysFlag = bytes.readInt32BE(AT.sysFlag);
  const storedAt = AT.bornHost + ((sysFlag & BORN_HOST_V6) === 0 ? V4_HOST_BYTES : V6_HOST_BYTES);
  const storeHost = storedAt + STORED_AT_BYTES;
  const storeHostEnd = storeHost + ((sysFlag & STORE_HOST_V6) === 0 ? V4_HOST_BYTES : V6_HOST_BYTES);
  const { body, properties } = contentOf(bytes, storeHostEnd + COUNTS_BYTES);
  const physicalOffset = bytes.subarray(AT.physicalOffset, AT.physicalOffset + 8);
  return {
    messageId: properties.get(MESSAGE_ID) ?? hex(bytes.subarray(storeHost, storeHostEnd)) + hex(physicalOffset),
    body: (sysFlag & COMPRESSED) === 0 ? Buffer.from(body) : inflate(body),
    messageGroup: properties.get(MESSAGE_GROUP),
    bornAt: Number(bytes.readBigInt64BE(AT.bornAt)),
    offset: Number(bytes.readBigInt64BE(AT.queueOffset)),
    properties: (each) => {
      for (const [name, value] of properties) if (!BROKERS_OWN.has(name)) each(value, name);
    },
  };
}

/** Body, topic and properties, each after its length. */
function contentOf(bytes: Buffer, start: number) {
  const magic = bytes.readUInt32BE(AT.magic);
  if (magic !== MAGIC_V1 && magic !== MAGIC_V2)
    throw new Error(`RocketMQ stores a message in an unknown form, ${magic}.`);
  const bodyStart = start + 4;
  const bodyEnd = bodyStart + bytes.readInt32BE(start);
  const topicBytes = magic === MAGIC_V1 ? 1 + bytes.readUInt8(bodyEnd) : 2 + bytes.readUInt16BE(bodyEnd);
  const propertiesStart = bodyEnd + topicBytes + 2;
  const propertiesEnd = propertiesStart + bytes.readUInt16BE(propertiesStart - 2);
  return {
    body: bytes.subarray(bodyStart, bodyEnd),
    properties: propertiesOf(bytes.toString('utf8', propertiesStart, propertiesEnd)),
  };
}

function propertiesOf(text: string): ReadonlyMap<string, string> {
  const properties = new Map<string, string>();
  for (const property of text.split(PROPERTY_END)) {
    const end = property.indexOf(NAME_END);
    if (end > 0) properties.set(property.slice(0, end), property.slice(end + 1));
  }
  return properties;
}

const hex = (bytes: Buffer): string => bytes.toString('hex').toUpperCase();
