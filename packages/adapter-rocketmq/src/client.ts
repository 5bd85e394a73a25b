/** The only file that knows the client library. It is loaded when a connection is made, not with the package. */
import { createRequire } from 'node:module';
import { Duplex } from 'node:stream';
import { format } from 'node:util';
import { type Clock, type Logger, sleep } from '@anymq/core/adapter';
import type { MessageView, Producer, SimpleConsumer } from 'rocketmq-client-nodejs';
import type * as Definition from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb.js';
import type * as Service from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';
import { fault } from './errors.js';
import { type Endpoints, Rpc, type Stub } from './internal/rpc.js';

export type { Definition, Producer, Service, SimpleConsumer };

/** The library's own hidden wait is 3 s for a topic without a route. */
const STARTUP_TIMEOUT_MS = 10_000;
/** The proxy's first answer can come before the library listens for it: the settings are sent again this often. */
const SETTINGS_AGAIN_MS = 250;
/** Above the 4 MiB default, at which a message of the largest allowed size could never be received. */
const MAX_RECEIVE_BYTES = 64 * 1024 * 1024;

/** PEM texts. */
export interface TlsMaterial {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly servername?: string | undefined;
}

/** What a client needs to connect. */
export interface ClientSettings {
  /** `host:port` of the proxy. */
  readonly endpoints: string;
  readonly credentials:
    | { readonly accessKey: string; readonly accessSecret: string; readonly securityToken?: string }
    | undefined;
  /** False: plain text. */
  readonly tls: false | TlsMaterial;
  readonly requestTimeoutMs: number;
  /** Longest wait of one poll. */
  readonly pollMs: number;
  /** False: everything goes to `endpoints`, whatever address the broker tells. */
  readonly useAdvertisedAddress: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  outcome(error: Error | undefined): void;
}

/** One queue of a topic, as the route tells it. */
export interface Queue {
  readonly permission: number;
  readonly queueId: number;
  readonly broker: { readonly name: string; readonly id: number; endpoints: Endpoints };
  toProtobuf(): Definition.MessageQueue;
}

interface Route {
  readonly messageQueues: readonly Queue[];
}

/** Overridable members of the library's clients, public and protected. */
interface Internals {
  readonly endpoints: Endpoints;
  readonly topics: Set<string>;
  readonly topicRouteCache: Map<string, Route>;
  rpcClientManager: { close(): void };
  getRequestMetadata(): unknown;
  getRouteData(topic: string): Promise<Route>;
  getTotalRouteEndpoints(): Endpoints[];
  findNewRouteEndpoints(found: Endpoints[]): Endpoints[];
  onTopicRouteDataUpdate(topic: string, route: Route): void;
  createTelemetryStream(endpoints: Endpoints): Duplex;
  telemetry(endpoints: Endpoints, command: unknown): void;
  settingsCommand(): unknown;
  startup(): Promise<void>;
  shutdown(): Promise<void>;
}

/** Message classes of the wire protocol. */
export interface Protocol {
  readonly definition: Omit<typeof Definition, 'default'>;
  readonly service: Omit<typeof Service, 'default'>;
  timestamp(ms: number): Timestamp;
  duration(ms: number): Duration;
  resource(name: string): Definition.Resource;
  messageId(): string;
}

type Timestamp = NonNullable<ReturnType<Definition.SystemProperties['getBornTimestamp']>>;
type Duration = NonNullable<ReturnType<Definition.SystemProperties['getInvisibleDuration']>>;

/** One client of the library, hardened, and the calls that we make through it. */
export interface Client<Native> {
  readonly native: Native;
  readonly rpc: Rpc;
  readonly endpoints: Endpoints;
  readonly protocol: Protocol;
  /** Queues of a topic; asks the proxy the first time. */
  queues(topic: string): Promise<readonly Queue[]>;
  start(): Promise<void>;
  /** Never rejects. */
  stop(): Promise<void>;
}

/** The client library, loaded when it is needed. */
export interface Library {
  producer(settings: ClientSettings): Client<Producer>;
  consumer(settings: ClientSettings, topic: string, group: string): Client<SimpleConsumer>;
}

/** Once per process, as Node.js keeps modules: what is loaded has no state of ours. */
export const loadLibrary: () => Promise<Library> = once(load);

async function load(): Promise<Library> {
  const { default: library } = await import('rocketmq-client-nodejs');
  const { default: definition } = await import('rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb.js');
  const { default: service } = await import('rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js');
  const { default: util } = await import('rocketmq-client-nodejs/dist/util/index.js');
  const protocol: Protocol = {
    definition,
    service,
    timestamp: timestamps(),
    duration: util.createDuration,
    resource: util.createResource,
    messageId: () => library.MessageIdFactory.create().toString(),
  };
  const open = await opener();
  return {
    producer: (settings) => harden(new library.Producer(common(settings)), settings, protocol, open),
    consumer: (settings, topic, group) => {
      const subscriptions = new Map([[topic, '*']]);
      const own = { consumerGroup: group, subscriptions, awaitDuration: settings.pollMs };
      return harden(new library.SimpleConsumer({ ...common(settings), ...own }), settings, protocol, open);
    },
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

type Opener = (settings: ClientSettings) => (target: string) => Stub;

/** The very copy of gRPC that the library uses: credentials of another one are refused. */
const fromLibrary = (): NodeJS.Require => {
  const here = createRequire(import.meta.url);
  return createRequire(here.resolve('rocketmq-client-nodejs'));
};

function timestamps(): (ms: number) => Timestamp {
  const { Timestamp } = fromLibrary()('google-protobuf/google/protobuf/timestamp_pb.js') as {
    Timestamp: new () => Timestamp & { setSeconds(value: number): void; setNanos(value: number): void };
  };
  return (ms) => {
    const timestamp = new Timestamp();
    timestamp.setSeconds(Math.floor(ms / 1000));
    timestamp.setNanos((((ms % 1000) + 1000) % 1000) * 1_000_000);
    return timestamp;
  };
}

interface Grpc {
  readonly credentials: {
    createInsecure(): unknown;
    createSsl(ca: Buffer | null, key: Buffer | null, cert: Buffer | null): unknown;
  };
}

async function opener(): Promise<Opener> {
  const grpc = fromLibrary()('@grpc/grpc-js') as Grpc;
  const { default: stubs } = await import('rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_grpc_pb.js');
  const Client = stubs.MessagingServiceClient as unknown as new (
    target: string,
    credentials: unknown,
    options: unknown,
  ) => Stub;
  const bytes = (pem: string | undefined): Buffer | null => (pem === undefined ? null : Buffer.from(pem));
  return ({ tls }) => {
    const credentials =
      tls === false
        ? grpc.credentials.createInsecure()
        : grpc.credentials.createSsl(bytes(tls.ca), bytes(tls.key), bytes(tls.cert));
    const options: Record<string, unknown> = { 'grpc.max_receive_message_length': MAX_RECEIVE_BYTES };
    if (tls !== false && tls.servername !== undefined) {
      options['grpc.ssl_target_name_override'] = tls.servername;
      options['grpc.default_authority'] = tls.servername;
    }
    return (target) => new Client(target, credentials, options);
  };
}

function common({ endpoints, credentials, tls, requestTimeoutMs, log }: ClientSettings) {
  return {
    endpoints,
    // Not sent with every request by the library, so of no use; names carry our namespace.
    namespace: '',
    sslEnabled: tls !== false,
    requestTimeout: requestTimeoutMs,
    // Its own logger writes a file below the home directory.
    logger: bridge(log),
    ...(credentials === undefined ? {} : { sessionCredentials: credentials }),
  };
}

/** Everything it says is for people who look for a fault: what matters is reported by us. */
function bridge(log: Logger) {
  const debug = (message: unknown, ...details: unknown[]): void =>
    log.debug(`RocketMQ: ${format(message, ...details)}`);
  return { debug, info: debug, warn: debug, error: debug, close() {} };
}

function harden<Native extends Producer | SimpleConsumer>(
  native: Native,
  settings: ClientSettings,
  protocol: Protocol,
  open: Opener,
): Client<Native> {
  const inner = native as unknown as Internals;
  const rpc = new Rpc({
    clock: settings.clock,
    open: open(settings),
    metadata: () => inner.getRequestMetadata(),
    outcome: settings.outcome,
  });
  inner.rpcClientManager.close();
  inner.rpcClientManager = rpc.manager() as unknown as Internals['rpcClientManager'];
  if (!settings.useAdvertisedAddress) pin(inner);
  const telemetry = quieten(inner);
  return {
    native,
    rpc,
    endpoints: inner.endpoints,
    protocol,
    queues: (topic) => queuesOf(inner, topic),
    start: () => start(inner, settings, telemetry),
    stop: async () => {
      telemetry.closed = true;
      await stop(inner);
    },
  };
}

/** Behind port forwarding the address that the broker tells leads nowhere: everything goes to the configured one. */
function pin(inner: Internals): void {
  const update = inner.onTopicRouteDataUpdate.bind(inner);
  const fresh = inner.findNewRouteEndpoints.bind(inner);
  inner.findNewRouteEndpoints = () => fresh([inner.endpoints]);
  inner.onTopicRouteDataUpdate = (topic, route) => {
    for (const queue of route.messageQueues) queue.broker.endpoints = inner.endpoints;
    update(topic, route);
  };
}

interface Telemetry {
  closed: boolean;
  lastError: unknown;
}

/** A stream that ends after its release would end the process; one that is renewed after the shutdown would live on. */
function quieten(inner: Internals): Telemetry {
  const state: Telemetry = { closed: false, lastError: undefined };
  const create = inner.createTelemetryStream.bind(inner);
  const note = (error: unknown): void => {
    state.lastError = error;
  };
  inner.createTelemetryStream = (endpoints) => {
    if (state.closed) return new Duplex({ objectMode: true, read() {}, write: (_chunk, _encoding, done) => done() });
    const stream = create(endpoints);
    const remove = stream.removeAllListeners.bind(stream);
    stream.on('error', note);
    stream.removeAllListeners = (...event) => {
      remove(...event);
      return stream.on('error', note);
    };
    return stream;
  };
  return state;
}

async function queuesOf(inner: Internals, topic: string): Promise<readonly Queue[]> {
  const cached = inner.topicRouteCache.get(topic);
  if (cached !== undefined) return cached.messageQueues;
  try {
    return (await inner.getRouteData(topic)).messageQueues;
  } catch (error) {
    // Left in it, every later refresh of all topics would fail on this one.
    inner.topics.delete(topic);
    throw error;
  }
}

async function start(inner: Internals, { clock, endpoints }: ClientSettings, telemetry: Telemetry): Promise<void> {
  const over = new AbortController();
  const again = async (): Promise<never> => {
    for (let waited = 0; waited < STARTUP_TIMEOUT_MS; waited += SETTINGS_AGAIN_MS) {
      await sleep(clock, SETTINGS_AGAIN_MS, over.signal);
      for (const each of inner.getTotalRouteEndpoints()) inner.telemetry(each, inner.settingsCommand());
    }
    const message = `The RocketMQ proxy at ${endpoints} has not sent its settings within ${STARTUP_TIMEOUT_MS} ms.`;
    throw fault('TIMEOUT', message, telemetry.lastError);
  };
  const waiting = again();
  waiting.catch(() => {});
  try {
    await Promise.race([inner.startup(), waiting]);
  } catch (error) {
    telemetry.closed = true;
    await stop(inner);
    throw error;
  } finally {
    over.abort();
  }
}

async function stop(inner: Internals): Promise<void> {
  try {
    await inner.shutdown();
  } catch {
    // It gives up halfway if the proxy does not answer its good-bye: once more, with nobody to say it to.
    inner.topicRouteCache.clear();
    await inner.shutdown();
  }
}
