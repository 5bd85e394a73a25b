import { type AdapterRuntime, type ReceiverSpec, sleep, type WriteResult } from '@anymq/core/adapter';
import { type Channel, closeQuietly } from '../client.js';
import { MARKER } from '../codec.js';
import { fault, isLocked } from '../errors.js';
import type { GroupNames } from '../names.js';
import { bindAll, type DeclaredTopic, declareQueue, declareStream, HISTORY_KEY, missing } from '../topology.js';
import { exists, withChannel, within } from './channels.js';
import { Confirms, stored } from './confirms.js';
import { copyHistory, hasMessages } from './copy.js';
import type { Link } from './link.js';
import { type MarkerKind, markerProperties } from './markers.js';
import type { Mutex } from './mutex.js';
import { randomName } from './random.js';
import { readStream } from './stream.js';

const CHARTER_SEGMENT_BYTES = 1_000_000;
/**
 * Between binding the queues and the `after` marker: a message that was routed before the binding, and so is only in the
 * stream, must stand before the marker. Routing and storing take microseconds.
 */
const BOUND_MS = 50;
/**
 * Between the `after` and the `live` markers: a message before the first in the stream must stand before the second in its
 * live queue.
 */
const OVERLAP_MS = 250;
const UNLOCK_TIMEOUT_MS = 2_000;

export interface GroupSettings {
  readonly runtime: AdapterRuntime;
  readonly publishing: Link;
  readonly consuming: Link;
  readonly mutex: Mutex;
  readonly topic: DeclaredTopic;
  readonly names: GroupNames;
  readonly spec: ReceiverSpec;
  readonly confirmTimeoutMs: number;
  readonly mayCreate: boolean;
  /** The receiver is closed: stop waiting. */
  readonly signal: AbortSignal;
}

/**
 * Sets a group up where it is new, exactly once among all members, and checks that this member agrees with the others.
 * Afterwards the group's queues get whatever is published.
 *
 * @returns whether a part of the group's messages may still stand in `past` queues
 */
export async function joinGroup(settings: GroupSettings): Promise<boolean> {
  const { mutex, names, consuming, mayCreate, spec } = settings;
  if (!(await isReady(settings))) {
    if (!mayCreate) throw missing(`Group '${spec.group}' on topic '${spec.topic.name}'`);
    await mutex.run(names.lock, () => withLock(settings, (channel) => setUp(settings, channel)));
  }
  await checkCharter(settings);
  return exists(consuming, (channel) => channel.checkExchange(names.pasts));
}

/** Long enough for an outage and the restart of a broker; what is cut off for longer is told that its queue is gone. */
const EPHEMERAL_EXPIRES_MS = 600_000;

/** A group of one consumer: one queue with all buckets, which nobody else has to find or agree on. */
export async function joinAlone({
  consuming,
  topic,
  names,
}: Pick<GroupSettings, 'consuming' | 'topic' | 'names'>): Promise<void> {
  await withChannel(consuming, async (channel) => {
    await declareQueue(channel, names.bucket(0), { expiresMs: EPHEMERAL_EXPIRES_MS });
    await bindAll(channel, topic.names, allBuckets(topic), () => names.bucket(0));
  });
}

function isReady({ consuming, names }: GroupSettings): Promise<boolean> {
  return exists(consuming, (channel) => channel.checkExchange(names.ready));
}

/**
 * Nobody else in the group sets it up meanwhile. All changes must go over the given channel: its connection holds the lock, so
 * when that breaks nothing of a set-up goes on behind the back of the next one.
 */
async function withLock(settings: GroupSettings, work: (channel: Channel) => Promise<void>): Promise<void> {
  const { runtime, names } = settings;
  const channel = await lock(settings);
  try {
    if (!(await isReady(settings))) await work(channel);
  } finally {
    const unlock = channel.deleteQueue(names.lock).catch(() => {});
    await within(runtime.clock, UNLOCK_TIMEOUT_MS, unlock);
    await within(runtime.clock, UNLOCK_TIMEOUT_MS, closeQuietly(channel));
  }
}

async function lock({ runtime, publishing, names, signal }: GroupSettings): Promise<Channel> {
  const backoff = runtime.backoff();
  for (;;) {
    const channel = await publishing.channel();
    try {
      await channel.assertQueue(names.lock, { exclusive: true, durable: false });
      return channel;
    } catch (error) {
      await closeQuietly(channel);
      if (!isLocked(error)) throw error;
    }
    await sleep(runtime.clock, Math.min(backoff.next(), 1_000), signal);
  }
}

async function setUp(settings: GroupSettings, channel: Channel): Promise<void> {
  const { runtime, publishing, consuming, topic, names, spec, confirmTimeoutMs } = settings;
  const halfDone = await exists(consuming, (scratch) => scratch.checkQueue(names.charter));
  if (halfDone) await cleanUp(channel, settings);
  const confirming = await publishing.confirmChannel();
  const unroutable = (id: string): WriteResult => ({
    status: 'not-sent',
    error: fault('NOT_FOUND', `no queue for ${id}`),
  });
  const confirms = new Confirms(confirming, { clock: runtime.clock, timeoutMs: confirmTimeoutMs, unroutable });
  try {
    await writeCharter(settings, channel, confirms);
    await declareGivenUp(settings, channel);
    for (const bucket of allBuckets(topic)) await declareShare(settings, channel, names.bucket(bucket));
    const late = spec.startFrom === 'earliest' && topic.spec.history === 'full';
    if (late) await bindBehindHistory(settings, channel, confirms);
    else await bindAll(channel, topic.names, allBuckets(topic), names.bucket);
    await channel.assertExchange(names.ready, 'fanout', { durable: true, internal: true });
  } finally {
    confirms.stop(fault('CLOSED', 'The group is set up.'));
    await within(runtime.clock, UNLOCK_TIMEOUT_MS, closeQuietly(confirming));
  }
}

/** An earlier set-up did not come to its end, so nobody has consumed anything: begin anew. */
async function cleanUp(channel: Channel, { topic, names, runtime }: GroupSettings): Promise<void> {
  runtime.log.info(`The set-up of '${names.charter}' was broken off earlier, and begins anew.`);
  for (const bucket of allBuckets(topic)) {
    await channel.deleteQueue(names.past(bucket));
    await channel.deleteQueue(names.bucket(bucket));
  }
  await channel.deleteExchange(names.pasts);
  await channel.deleteQueue(names.givenUp);
  await channel.deleteQueue(names.charter);
}

/**
 * The group gets everything the stream has, and everything that comes, each once and in order. Nothing more than binding is
 * to be done while the stream is empty; what is in it else is copied to `past` queues.
 */
async function bindBehindHistory(settings: GroupSettings, channel: Channel, confirms: Confirms): Promise<void> {
  const { consuming, topic, names } = settings;
  const { control, history } = topic.names;
  const before = await putMarker(settings, confirms, 'before', HISTORY_KEY);
  if (!(await hasMessages(consuming, history, control, before))) {
    const after = await bind(settings, channel, confirms);
    if (!(await hasMessages(consuming, history, control, after))) return;
    // The first messages came just now, and the queues may have none, some or all of them.
    for (const bucket of allBuckets(topic)) {
      await channel.deleteQueue(names.bucket(bucket));
      await declareShare(settings, channel, names.bucket(bucket));
    }
  }
  await bindWithPast(settings, channel, confirms);
}

/** Binds the live queues. Resolves with the id of a marker that stands in the stream behind all that they do not get. */
async function bind(settings: GroupSettings, channel: Channel, confirms: Confirms, id?: string): Promise<string> {
  const { runtime, topic, names, signal } = settings;
  await bindAll(channel, topic.names, allBuckets(topic), names.bucket);
  await sleep(runtime.clock, BOUND_MS, signal);
  return putMarker(settings, confirms, 'after', HISTORY_KEY, { id });
}

async function bindWithPast(settings: GroupSettings, channel: Channel, confirms: Confirms): Promise<void> {
  const { runtime, consuming: link, topic, names, signal } = settings;
  const { control, history } = topic.names;
  await declarePast(settings, channel);
  const gate = (bucket: number): Promise<string> => putMarker(settings, confirms, 'gate', names.bucket(bucket));
  await Promise.all(allBuckets(topic).map(gate));
  const marker = await putMarker(settings, confirms, 'before', HISTORY_KEY);
  await bind(settings, channel, confirms, marker);
  const since = runtime.clock.monotonic();
  const { buckets } = topic;
  const overlap = await copyHistory({ link, confirms, history, control, buckets, marker, target: names.past });
  await sleep(runtime.clock, Math.max(0, since + OVERLAP_MS - runtime.clock.monotonic()), signal);
  const close = async (bucket: number): Promise<void> => {
    const body = JSON.stringify(overlap.get(bucket) ?? []);
    await putMarker(settings, confirms, 'end', names.past(bucket), { body });
    await putMarker(settings, confirms, 'live', names.bucket(bucket));
  };
  await Promise.all(allBuckets(topic).map(close));
}

async function declareGivenUp({ topic, names }: GroupSettings, channel: Channel): Promise<void> {
  await declareQueue(channel, names.givenUp);
  await channel.bindQueue(names.givenUp, topic.names.control, names.givenUp);
}

/** A queue with a part of the group's messages. */
const declareShare = ({ topic, names }: GroupSettings, channel: Channel, queue: string): Promise<void> =>
  declareQueue(channel, queue, { givenUp: { exchange: topic.names.control, key: names.givenUp } });

async function declarePast(settings: GroupSettings, channel: Channel): Promise<void> {
  const { topic, names } = settings;
  const { control } = topic.names;
  await channel.assertExchange(names.pasts, 'fanout', { durable: true, internal: true });
  for (const bucket of allBuckets(topic)) {
    await declareShare(settings, channel, names.past(bucket));
    await channel.bindQueue(names.past(bucket), control, names.past(bucket));
    await channel.bindQueue(names.bucket(bucket), control, names.bucket(bucket));
  }
}

/** Resolves with the marker's id when it is stored. */
async function putMarker(
  { runtime, topic }: GroupSettings,
  confirms: Confirms,
  kind: MarkerKind,
  key: string,
  { id = `marker-${randomName(runtime.random)}`, body = '' }: { id?: string | undefined; body?: string } = {},
): Promise<string> {
  const { control } = topic.names;
  const writing = confirms.write({
    count: 1,
    idOf: () => id,
    publish: (channel) => channel.publish(control, key, Buffer.from(body), markerProperties(kind, id)),
  });
  await stored(writing);
  return id;
}

async function writeCharter(settings: GroupSettings, channel: Channel, confirms: Confirms): Promise<void> {
  const { topic, names, spec } = settings;
  const { control } = topic.names;
  await declareStream(channel, names.charter, CHARTER_SEGMENT_BYTES, {});
  await channel.bindQueue(names.charter, control, names.charter);
  const properties = { deliveryMode: 2, mandatory: true, messageId: names.charter, type: MARKER };
  const writing = confirms.write({
    count: 1,
    idOf: () => names.charter,
    publish: (confirming) => confirming.publish(control, names.charter, Buffer.from(spec.charter), properties),
  });
  await stored(writing);
}

async function checkCharter({ consuming, names, spec }: GroupSettings): Promise<void> {
  const text = await firstRecord(consuming, names.charter);
  if (text === spec.charter) return;
  const message = `Group '${spec.group}' on topic '${spec.topic.name}' was joined with '${spec.charter}', but its members agreed on '${text}'. Use the same settings in all members, or another group.`;
  throw fault('CONFLICT', message);
}

async function firstRecord(link: Link, stream: string): Promise<string> {
  let found: (text: string) => void = () => {};
  const text = new Promise<string>((resolve) => {
    found = resolve;
  });
  const reader = await readStream(link, stream, (message) => found(message.content.toString()));
  try {
    return await Promise.race([text, reader.over.then((error) => Promise.reject(error))]);
  } finally {
    await reader.close();
  }
}

export const allBuckets = ({ buckets }: DeclaredTopic): readonly number[] => [...Array(buckets).keys()];
