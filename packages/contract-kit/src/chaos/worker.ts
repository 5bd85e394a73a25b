// A process of a chaos run: a producer or a member. Its settings are the JSON of its first argument, it says 'ready' and 'done' to
// its parent, and ends in good order on 'close'. Everything it sees goes into its history file.
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { inspect } from 'node:util';
import {
  createMessaging,
  type DeadLetters,
  type Delivery,
  defineTopic,
  fixed,
  type Logger,
  type MessagingError,
  PermanentError,
  type Producer,
} from '@anymq/core';
import type { ConfiguredAdapter, Sender } from '@anymq/core/adapter';
import { z } from 'zod';
import { createRecorder, monotonicMicros, type Recorder } from '../history/index.js';
import { type Tamper, tampered } from '../tamper.js';
import { crashing, forwards, idle } from './crash.js';
import { keeping, list, Redriver } from './letter-work.js';
import type { ChaosConnection, ChaosModule } from './target.js';
import type { ChaosWork, RedriveWork } from './work.js';

/** What a worker is told. */
export interface WorkerSettings extends ChaosWork {
  readonly role: 'producer' | 'member' | 'redriver' | 'lister';
  readonly name: string;
  readonly module: string;
  readonly connection: ChaosConnection;
  readonly namespace: string;
  readonly topic: string;
  readonly group: string;
  /** History file; does not exist yet. */
  readonly file: string;
  readonly messages: number;
  readonly keys: number;
  readonly ratePerSecond: number;
  /** Time for one handler call, milliseconds. */
  readonly workMs: number;
  /** What a redriver does. */
  readonly redrive?: RedriveWork;
}

const SLICE_MS = 20;
/** A busy machine makes slices longer; what was missed beyond is not made up for. */
const MAX_SLICE_MS = 200;
/** So many sends wait for their answer at most: an engine that is slow, or broken, is given less. */
const MAX_UNCONFIRMED = 500;
/**
 * After this part of the messages the rest only trickles until the fault is over, the slower the less is left: however long it takes,
 * something passes meanwhile and something is left to do then, on any engine.
 */
const FLOWS_UNTIL = 0.8;
const TRICKLE = 0.05;
/** Longer than any fault here lasts. */
const SEND_TIMEOUT_MS = 120_000;
/** Until a first call that failed is repeated. */
const RETRY_MS = 1_500;

const schema = z.object({ key: z.string(), n: z.number() });
type Value = z.infer<typeof schema>;

const settings: WorkerSettings = JSON.parse(process.argv[2] ?? '');
const recorder = createRecorder(settings.file, settings.name);
const redriver = new Redriver(recorder, settings.group);
/** What each role does until it is told to end. */
const ROLES: Readonly<Record<WorkerSettings['role'], () => Promise<void>>> = {
  producer: produce,
  member: receive,
  redriver: redriveAll,
  lister: listAll,
};
const { configure }: ChaosModule = await import(settings.module);
const messaging = await createMessaging({
  namespace: settings.namespace,
  brokers: { main: watched(configure(settings.connection)) },
  connectTimeoutMs: 60_000,
  logger: fileLogger(`${settings.file}.log`),
});
let doomed = settings.redrive?.crash !== undefined;
let held = 0;
let recovered = false;
process.on('message', (message) => {
  if (message === 'crash' || message === 'live') doomed = message === 'crash';
  if (message === 'stop') process.send?.('stopping', stop);
  if (message !== 'recover') return;
  recovered = true;
  process.send?.('recovered');
});
const topic = defineTopic(settings.topic, { schema, key: ({ key }) => key });
// A parent that is gone cannot ask for anything any more.
process.once('disconnect', () => process.exit(1));
await ROLES[settings.role]();
await messaging.close();
recorder.close();
process.exit(0);

/** What the producer writes, and what anybody sends on, is on record before: only that can be in flight. A member dies where it shall. */
function watched(configured: ConfiguredAdapter): ConfiguredAdapter {
  return tampersOf(settings).reduce((adapter, tamper) => tampered(adapter, () => tamper), configured);
}

function tampersOf({ role, group, delayMs, crash: where, redrive }: WorkerSettings): Tamper[] {
  const tampers: Tamper[] = [];
  if (delayMs !== undefined) tampers.push(forwards(recorder));
  if (role === 'producer') tampers.push({ sender: (sender) => ({ write: recorded(sender) }) });
  if (role === 'member') tampers.push(keeping(recorder, group));
  if (role === 'redriver') tampers.push(redriver.tamper());
  const crash = role === 'redriver' ? redrive?.crash : where;
  if (crash === undefined || role === 'lister') return tampers;
  // What dies must be what works on the lines: a member.
  return [...tampers, role === 'producer' ? idle() : crashing(crash, (ids) => die(crash, ids))];
}

function recorded(sender: Sender): Sender['write'] {
  return (lane, records) => {
    for (const { id } of records) recorder.writing(id);
    return sender.write(lane, records);
  };
}

function stop(): void {
  recorder.member(settings.group, 'stopped');
  process.kill(process.pid, 'SIGSTOP');
}

/** Told to, it ends here and now. @param ids messages that it holds there, where that is known */
function die(point: string, ids?: readonly string[]): void {
  held += ids?.length ?? 0;
  if (!doomed || ids?.length === 0 || held < (settings.redrive?.crashAfter ?? 0)) return;
  if (ids !== undefined) recorder.crash(point, ids);
  recorder.member('', 'killed');
  process.kill(process.pid, 'SIGKILL');
}

/** Beside the history: what the library said, for whoever looks for the cause of a failed run. */
function fileLogger(file: string): Logger {
  const line = (level: string) => (message: string, details?: object) =>
    appendFileSync(file, `${monotonicMicros()} ${level} ${message} ${details === undefined ? '' : inspect(details)}\n`);
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}

async function produce(): Promise<void> {
  const producer = messaging.producer({ sendTimeoutMs: SEND_TIMEOUT_MS });
  await producer.send(topic, { key: 'warm-up', n: -1 }, { id: `${settings.name}-warm-up` });
  process.send?.('ready');
  let faultIsOver = false;
  process.once('message', () => {
    faultIsOver = true;
  });
  const { messages, ratePerSecond } = settings;
  const sends: Promise<void>[] = [];
  let unconfirmed = 0;
  const confirmed = (): void => {
    unconfirmed -= 1;
  };
  let last = performance.now();
  for (let due = 0; sends.length < messages; await wait(SLICE_MS)) {
    const now = performance.now();
    const left = 1 - sends.length / messages;
    const pace = faultIsOver || left > 1 - FLOWS_UNTIL ? 1 : (TRICKLE * left) / (1 - FLOWS_UNTIL);
    due = (due % 1) + ratePerSecond * pace * (Math.min(now - last, MAX_SLICE_MS) / 1_000);
    last = now;
    const count = Math.min(Math.floor(due), messages - sends.length, MAX_UNCONFIRMED - unconfirmed);
    const fresh = send(producer, recorder, sends.length, sends.length + count);
    unconfirmed += fresh.length;
    for (const one of fresh) void one.then(confirmed);
    sends.push(...fresh);
  }
  await Promise.all(sends);
  process.send?.('done');
}

/** The messages with numbers from `from` up to and without `to`. What is attempted is on record before. */
function send(producer: Producer, record: Recorder, from: number, to: number): Promise<void>[] {
  const { keys, name } = settings;
  const values = Array.from({ length: Math.max(0, to - from) }, (_, i): Value => {
    const n = from + i;
    return { key: `k${n % keys}`, n };
  });
  const idOf = ({ n }: Value): string => `${name}-${n}`;
  for (const value of values) record.sending({ id: idOf(value), ...value });
  record.flush();
  return values.map((value) =>
    sendOne(producer, value, idOf(value)).then(
      (cancelled) => (cancelled ? record.refused(idOf(value), 'CANCELLED') : record.sent(idOf(value))),
      (error: MessagingError) =>
        error.indeterminate ? record.unknown(idOf(value)) : record.refused(idOf(value), error.code),
    ),
  );
}

/** Resolves with whether it was cancelled again: then it must never arrive. */
async function sendOne(producer: Producer, value: Value, id: string): Promise<boolean> {
  const { delayMs, cancelOneIn } = settings;
  if (delayMs === undefined) return producer.send(topic, value, { id }).then(() => false);
  const { cancelToken = '' } = await producer.send(topic, value, { id, delayMs });
  if (cancelOneIn === undefined || value.n % cancelOneIn !== 0) return false;
  // From a moment before it is due to a moment after.
  await wait(delayMs - 80 + ((value.n * 7) % 100));
  return cancel(producer, cancelToken);
}

async function cancel(producer: Producer, token: string): Promise<boolean> {
  for (;;) {
    const answer = await producer.cancel(token).catch(({ code }: MessagingError) => code);
    if (answer === 'cancelled' || answer === 'too-late') return answer === 'cancelled';
  }
}

async function receive(): Promise<void> {
  const { group, delayMs, failsFirst } = settings;
  const consumer = messaging.consumer({ group, drainTimeoutMs: 30_000 });
  const released = { retry: { whileRetrying: 'release', backoff: fixed(RETRY_MS) }, deadLetter: 'none' } as const;
  consumer.subscribe(topic, handle, { concurrency: 200, ...(failsFirst === true ? released : {}) });
  await consumer.start();
  // Who delays something first works on what is delayed.
  if (delayMs !== undefined)
    await messaging.producer().send(topic, { key: 'warm-up', n: -1 }, { id: `${settings.name}-warm-up`, delayMs: 1 });
  recorder.member(group, 'started');
  process.send?.('ready');
  while ((await once(process, 'message'))[0] !== 'close');
  recorder.member(group, 'closing');
  await consumer.close();
  recorder.member(group, 'closed');
}

function letters(): DeadLetters {
  return messaging.deadLetters(topic, { group: settings.group });
}

async function listAll(): Promise<void> {
  process.send?.('ready');
  await list(letters(), recorder);
}

async function redriveAll(): Promise<void> {
  process.send?.('ready');
  await redriver.run(letters(), settings.redrive?.ratePerSecond);
}

async function handle({ id, key, value, attempt, redelivered, position }: Delivery<Value>): Promise<void> {
  const { group, workMs, failsFirst, poisonedOneIn } = settings;
  if (value.n < 0) return;
  recorder.begin({ group, id, ...(key === undefined ? {} : { key }), n: value.n, attempt, redelivered, position });
  recorder.flush();
  await wait(workMs);
  const fails = failsFirst === true && attempt === 1;
  const poisoned = !recovered && poisonedOneIn !== undefined && (value.n % settings.keys) % poisonedOneIn === 0;
  recorder.end(group, id, poisoned ? 'rejected' : fails ? 'failed' : 'ack');
  if (poisoned) throw new PermanentError('nobody can handle this key');
  if (fails) throw new Error('the first call');
}
