import type { Client, Definition, Producer, Protocol, Queue, Service, SimpleConsumer } from '../client.js';
import type { NativeDelivery, NativeMessage } from '../codec.js';
import { fault, StatusError } from '../errors.js';
import { longestPollMs } from '../options.js';
import { inflate } from './inflate.js';

/** Messages in one answer: the broker gives no more. */
export const MAX_ANSWER = 32;
const OK = 20_000;
const MULTIPLE_RESULTS = 30_000;
const GZIP = 2;
const READABLE = 2;
const WRITABLE = 3;
const READ_WRITE = 4;

/** What a call was answered. */
function check(status: Definition.Status | undefined, asked: string): void {
  const code = status?.getCode() ?? OK;
  if (code !== OK && code !== MULTIPLE_RESULTS) throw new StatusError(code, status?.getMessage() ?? '', asked);
}

function may(queue: Queue, wanted: typeof READABLE | typeof WRITABLE): boolean {
  return queue.permission === wanted || queue.permission === READ_WRITE;
}

/** Asks for the route of a topic that nobody has. Resolves whatever the answer is, unless the caller has no name here. */
export async function probe(client: Client<Producer>, topic: string, timeoutMs: number): Promise<void> {
  const { service, resource } = client.protocol;
  const request = new service.QueryRouteRequest();
  request.setTopic(resource(topic));
  // The library knows how to write its own address.
  request.setEndpoints((client.endpoints as unknown as { toProtobuf(): Definition.Endpoints }).toProtobuf());
  const reply = await client.rpc.call<Service.QueryRouteResponse>('queryRoute', client.endpoints, request, timeoutMs);
  const status = reply.getStatus();
  const code = status?.getCode() ?? OK;
  const known = /has no permission to access/.test(status?.getMessage() ?? '');
  if (code >= 40_100 && code < 40_200 && !known) check(status, 'a route query');
}

/** Writes messages to one topic. */
export class Publisher {
  readonly #client: Client<Producer>;
  readonly #topic: string;
  readonly #timeoutMs: number;
  #turn = 0;

  constructor(client: Client<Producer>, topic: string, timeoutMs: number) {
    this.#client = client;
    this.#topic = topic;
    this.#timeoutMs = timeoutMs;
  }

  /** One try. Resolves with the broker's id of the message. */
  async send(message: NativeMessage): Promise<string> {
    const queue = await this.#queue();
    const request = new this.#client.protocol.service.SendMessageRequest();
    request.addMessages(toProtobuf(this.#client.protocol, this.#topic, message, queue.queueId));
    const { endpoints } = queue.broker;
    const reply = await this.#client.rpc.call<Service.SendMessageResponse>(
      'sendMessage',
      endpoints,
      request,
      this.#timeoutMs,
    );
    check(reply.getStatus(), 'a send');
    const entry = reply.getEntriesList()[0];
    check(entry?.getStatus(), 'a send');
    return entry?.getMessageId() ?? '';
  }

  /** The proxy chooses the queue by message group or in turn; ours only says where to call. */
  async #queue(): Promise<Queue> {
    const queues = await this.#client.queues(this.#topic);
    for (let tried = 0; tried < queues.length; tried++) {
      this.#turn = (this.#turn + 1) % queues.length;
      const queue = queues[this.#turn] as Queue;
      if (may(queue, WRITABLE)) return queue;
    }
    throw fault('UNAVAILABLE', `Topic '${this.#topic}' has no queue on RocketMQ that can be written to.`);
  }
}

function toProtobuf(protocol: Protocol, topic: string, message: NativeMessage, queueId: number): Definition.Message {
  const { definition, timestamp, resource, messageId } = protocol;
  const system = new definition.SystemProperties();
  system.setKeysList(message.keys);
  system.setMessageId(messageId());
  system.setBornTimestamp(timestamp(message.bornAt));
  system.setBodyEncoding(definition.Encoding.IDENTITY);
  system.setQueueId(queueId);
  const { NORMAL, FIFO, DELAY } = definition.MessageType;
  system.setMessageType(NORMAL);
  if (message.messageGroup !== undefined) {
    system.setMessageType(FIFO);
    system.setMessageGroup(message.messageGroup);
  }
  if (message.deliverAt !== undefined) {
    system.setMessageType(DELAY);
    system.setDeliveryTimestamp(timestamp(message.deliverAt));
  }
  const wire = new definition.Message();
  wire.setTopic(resource(topic));
  wire.setBody(message.body);
  wire.setSystemProperties(system);
  const properties = wire.getUserPropertiesMap() as { set(name: string, value: string): void };
  for (const [name, value] of message.properties) properties.set(name, value);
  return wire;
}

/** A delivered message that is to be acknowledged. */
export interface Acknowledgement {
  readonly messageId: string;
  readonly receiptHandle: string;
}

/** One request for messages. */
export interface Poll {
  readonly max: number;
  readonly leaseMs: number;
  /**
   * Name of the request. The broker opens a locked queue of a keyed topic only to the name that has locked it, and then gives
   * everything again from the first message that is not acknowledged.
   */
  readonly attempt: string;
  /** Undefined: the next broker in turn. */
  readonly broker?: string | undefined;
}

/** Receives one topic for one group. */
export class Subscription {
  readonly #client: Client<SimpleConsumer>;
  readonly #topic: string;
  readonly #group: string;
  readonly #timeoutMs: number;
  readonly #pollMs: number;
  #turn = 0;

  constructor(
    client: Client<SimpleConsumer>,
    names: { readonly topic: string; readonly group: string },
    times: { readonly requestTimeoutMs: number; readonly pollMs: number },
  ) {
    this.#client = client;
    this.#topic = names.topic;
    this.#group = names.group;
    this.#timeoutMs = times.requestTimeoutMs;
    this.#pollMs = times.pollMs;
  }

  /** How many brokers have something to read: a poll asks one of them. */
  async brokers(): Promise<number> {
    return (await this.#readable()).length;
  }

  /** One long poll. Empty when nothing came. */
  async receive(poll: Poll): Promise<readonly NativeDelivery[]> {
    const queue = await this.#broker(poll.broker);
    const { rpc } = this.#client;
    // With less a proxy refuses a poll that it would make longer.
    const timeoutMs = this.#timeoutMs + longestPollMs({ pollMs: this.#pollMs });
    const replies = await rpc.receive<Service.ReceiveMessageResponse>(
      queue.broker.endpoints,
      this.#receiveRequest(queue, poll),
      timeoutMs,
    );
    const deliveries: NativeDelivery[] = [];
    for (const reply of replies) {
      const message = reply.getMessage();
      if (message !== undefined) deliveries.push(fromProtobuf(message, queue.broker.name));
      else if (deliveries.length === 0) this.#checkReceive(reply.getStatus());
    }
    return deliveries;
  }

  /** One call for all, at most 32. Resolves with a status code for each, in order. */
  async acknowledge(entries: readonly Acknowledgement[]): Promise<readonly number[]> {
    const { service, resource } = this.#client.protocol;
    const request = new service.AckMessageRequest();
    request.setGroup(resource(this.#group));
    request.setTopic(resource(this.#topic));
    for (const { messageId, receiptHandle } of entries) {
      const entry = request.addEntries();
      entry.setMessageId(messageId);
      entry.setReceiptHandle(receiptHandle);
    }
    const reply = await this.#call<Service.AckMessageResponse>('ackMessage', request);
    const results = reply.getEntriesList();
    const overall = reply.getStatus()?.getCode() ?? OK;
    if (results.length === 0 && overall !== OK) check(reply.getStatus(), 'an acknowledgement');
    return entries.map((_, index) => results[index]?.getStatus()?.getCode() ?? overall);
  }

  /** Sets when the message comes again. Resolves with the handle that is valid from now on. */
  async lease(entry: Acknowledgement, ms: number): Promise<string> {
    const { service, resource, duration } = this.#client.protocol;
    const request = new service.ChangeInvisibleDurationRequest();
    request.setGroup(resource(this.#group));
    request.setTopic(resource(this.#topic));
    request.setReceiptHandle(entry.receiptHandle);
    request.setMessageId(entry.messageId);
    request.setInvisibleDuration(duration(ms));
    const reply = await this.#call<Service.ChangeInvisibleDurationResponse>('changeInvisibleDuration', request);
    check(reply.getStatus(), 'a change of a lease');
    return ownCheckpoint(reply.getReceiptHandle());
  }

  #call<T>(method: 'ackMessage' | 'changeInvisibleDuration', request: unknown): Promise<T> {
    const { rpc, endpoints } = this.#client;
    return rpc.call<T>(method, endpoints, request, this.#timeoutMs);
  }

  #receiveRequest(queue: Queue, { max, leaseMs, attempt }: Poll): Service.ReceiveMessageRequest {
    const { service, definition, resource, duration } = this.#client.protocol;
    const filter = new definition.FilterExpression();
    filter.setType(definition.FilterType.TAG);
    filter.setExpression('*');
    const request = new service.ReceiveMessageRequest();
    request.setGroup(resource(this.#group));
    request.setMessageQueue(queue.toProtobuf());
    request.setFilterExpression(filter);
    request.setLongPollingTimeout(duration(this.#pollMs));
    request.setBatchSize(max);
    request.setAutoRenew(false);
    request.setInvisibleDuration(duration(leaseMs));
    request.setAttemptId(attempt);
    return request;
  }

  #checkReceive(status: Definition.Status | undefined): void {
    // Nothing there yet: how an empty poll ends.
    if (status?.getCode() !== this.#client.protocol.definition.Code.MESSAGE_NOT_FOUND) check(status, 'a receive');
  }

  /** A queue of the broker by that name, or of the next one in turn. */
  async #broker(name: string | undefined): Promise<Queue> {
    const queues = await this.#readable();
    this.#turn = (this.#turn + 1) % Math.max(1, queues.length);
    const queue = queues.find(({ broker }) => broker.name === name) ?? queues[this.#turn];
    if (queue !== undefined) return queue;
    throw fault('UNAVAILABLE', `Topic '${this.#topic}' has no readable queue on RocketMQ.`);
  }

  /** One readable queue of each broker: the broker looks through all of its own. */
  async #readable(): Promise<readonly Queue[]> {
    const brokers = new Map<string, Queue>();
    for (const queue of await this.#client.queues(this.#topic)) {
      if (queue.broker.id === 0 && may(queue, READABLE) && !brokers.has(queue.broker.name)) {
        brokers.set(queue.broker.name, queue);
      }
    }
    return [...brokers.values()];
  }
}

/** Where a handle (words with a space between) has the offsets of its checkpoint and of its message. */
const CHECKPOINT_WORD = 0;
const OFFSET_WORD = 7;

/**
 * A message whose lease was changed has a checkpoint of its own on the broker, but a proxy in the broker's process answers
 * with a handle that names the old one, of the whole batch: an acknowledgement by it is confirmed and has no effect.
 */
export function ownCheckpoint(handle: string): string {
  const words = handle.split(' ');
  const offset = words[OFFSET_WORD];
  if (offset === undefined || !/^\d+$/.test(offset)) return handle;
  words[CHECKPOINT_WORD] = offset;
  return words.join(' ');
}

function fromProtobuf(message: Definition.Message, broker: string): NativeDelivery {
  const system = message.getSystemProperties() as Definition.SystemProperties;
  const body = message.getBody_asU8();
  const born = system.getBornTimestamp() as { getSeconds(): number; getNanos(): number } | undefined;
  const properties = message.getUserPropertiesMap() as {
    forEach(each: (value: string, name: string) => void): void;
  };
  return {
    messageId: system.getMessageId(),
    receiptHandle: system.getReceiptHandle() ?? '',
    body: system.getBodyEncoding() === GZIP ? inflate(body) : body,
    messageGroup: system.getMessageGroup(),
    bornAt: born === undefined ? undefined : born.getSeconds() * 1000 + Math.floor(born.getNanos() / 1_000_000),
    deliveryAttempt: system.getDeliveryAttempt() ?? 1,
    queue: `${broker}/${system.getQueueId()}`,
    offset: system.getQueueOffset() ?? 0,
    properties: (each) => properties.forEach(each),
  };
}
