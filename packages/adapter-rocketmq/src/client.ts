/** The only file that knows the client library. It is loaded when a connection is made, not with the package. */
import { createRequire } from 'node:module';
import { format } from 'node:util';
import type { Clock, Logger } from '@anymq/core/adapter';
import type { Producer, SimpleConsumer } from 'rocketmq-client-nodejs';
import type * as Definition from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb.js';
import type * as Service from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';
import { harden } from './internal/hardened.js';
import type { Keys } from './internal/keys.js';
import { addressesOf, type Proxies } from './internal/proxies.js';
import type { Endpoints, Rpc, Stub } from './internal/rpc.js';

export type { Definition, Producer, Service, SimpleConsumer };

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
  /** `host:port` of proxies, with `;` between. */
  readonly endpoints: string;
  readonly proxies: Proxies;
  readonly credentials: Keys | undefined;
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
  // Credentials first: they may be bad, and a client that was made has a timer.
  const client = <Native>(settings: ClientSettings, make: () => Native): Client<Native> => {
    const dial = open(settings);
    const native = make();
    return { native, protocol, ...harden(native, settings, dial) };
  };
  return {
    producer: (settings) => client(settings, () => new library.Producer(common(settings))),
    consumer: (settings, topic, group) =>
      client(settings, () => {
        const subscriptions = new Map([[topic, '*']]);
        const own = { consumerGroup: group, subscriptions, awaitDuration: settings.pollMs };
        return new library.SimpleConsumer({ ...common(settings), ...own });
      }),
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

type SessionCredentials = NonNullable<ConstructorParameters<typeof Producer>[0]['sessionCredentials']>;
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
    // The library would give all of them to gRPC as one name.
    endpoints: addressesOf(endpoints)[0] ?? endpoints,
    // Not sent with every request by the library, so of no use; names carry our namespace.
    namespace: '',
    sslEnabled: tls !== false,
    requestTimeout: requestTimeoutMs,
    // Its own logger writes a file below the home directory.
    logger: bridge(log),
    ...(credentials === undefined ? {} : { sessionCredentials: credentials as SessionCredentials }),
  };
}

/** Everything it says is for people who look for a fault: what matters is reported by us. */
function bridge(log: Logger) {
  const debug = (message: unknown, ...details: unknown[]): void =>
    log.debug(`RocketMQ: ${format(message, ...details)}`);
  return { debug, info: debug, warn: debug, error: debug, close() {} };
}
