import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endpointsOf, type StateOptions } from './brokers.js';
import { identityOf, stillRuns } from './identity.js';
import { Instance } from './instance.js';
import {
  BROKER_NAMES,
  type BrokerName,
  type BrokerTls,
  type Connection,
  type Credentials,
  type Place,
} from './kind.js';
import { KINDS } from './kinds.js';
import { freePorts, type Ports } from './ports.js';
import { jarsFolder, privateFolder, readOr, removeDeadLink, stateFolder } from './state.js';

/** How a private broker differs from the usual. */
export interface PrivateOptions extends StateOptions {
  /** Ports by use, e.g. `{ client: 9192 }`. @default free ones */
  readonly ports?: Ports;
  /**
   * Kafka only: further listeners, at `endpoints.behindProxy0` and so on, each of which tells its clients to use this
   * `host:port`. Clients that begin at a TCP proxy of this address stay behind it.
   */
  readonly advertised?: readonly string[];
  /**
   * RocketMQ: whoever does not bring these is refused, and only they may do everything. Kafka: whoever does not bring them is
   * refused at another listener, `endpoints.sasl`, for PLAIN and SCRAM, and may do there what rules (ACLs) allow.
   */
  readonly credentials?: Credentials;
  /** Kafka and RabbitMQ: more listeners, `endpoints.tls`, and `endpoints.mutualTls` at Kafka. RocketMQ: its proxy. */
  readonly tls?: BrokerTls;
  /** RocketMQ only: shorter polls are made as long, milliseconds. @default the proxy's own, 5,000 */
  readonly minPollMs?: number;
}

/** A second broker on free ports with its own data, which its owner may kill. */
export interface PrivateBroker extends AsyncDisposable {
  readonly name: BrokerName;
  /** Of what runs, as `Kafka 4.1.0`. */
  readonly version: string;
  /** `{ adapter: name, ...connection }` is an AnyMQ broker configuration. */
  readonly connection: Connection;
  /** `host:port` by use. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** SIGKILL: it writes nothing more. Resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM, and waits for its end. */
  stop(): Promise<void>;
  /** Stops it if it runs, and starts it on the same data and ports; resolves when it answers. */
  restart(): Promise<void>;
  /** SIGSTOP: it keeps its connections and says nothing. */
  suspend(): void;
  /** SIGCONT. */
  resume(): void;
  /**
   * Runs one of the broker's own programs for administrators: a script of RabbitMQ's, as `rabbitmqctl`, or a main class of
   * Kafka's. Resolves with what it printed.
   */
  tool(program: string, ...args: string[]): Promise<string>;
  /** Ends it and deletes its data. */
  close(): Promise<void>;
}

/** Starts a private broker; resolves when it answers. Close it, or `down --all` does when this process is gone. */
export async function startPrivate(name: BrokerName, options: PrivateOptions = {}): Promise<PrivateBroker> {
  const instance = new Instance(KINDS[name], await newPlace(name, options));
  const { kind, place } = instance;
  const close = async (): Promise<void> => {
    await instance.kill();
    rmSync(place.folder, { recursive: true, force: true });
  };
  await instance.start().catch(async (error) => {
    await close();
    throw error;
  });
  return {
    name,
    version: kind.version(place),
    connection: kind.connection(place.ports),
    endpoints: endpointsOf(place.ports),
    kill: () => instance.kill(),
    stop: () => instance.stop(),
    restart: async () => {
      await instance.stop();
      await instance.start();
    },
    suspend: () => instance.signal('SIGSTOP'),
    resume: () => instance.signal('SIGCONT'),
    tool: async (program, ...args) => {
      if (kind.tool !== undefined) return kind.tool(place, program, args);
      throw new TypeError(`${kind.title} has no program '${program}' here.`);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Options that only one kind of broker knows. */
const ONLY_FOR = { advertised: 'kafka', minPollMs: 'rocketmq' } as const;

async function newPlace(name: BrokerName, { dir, ports, ...options }: PrivateOptions): Promise<Place> {
  for (const [option, only] of Object.entries(ONLY_FOR)) {
    if (options[option as keyof typeof ONLY_FOR] !== undefined && name !== only)
      throw new TypeError(`'${option}' is for ${KINDS[only].title}, not for ${name}.`);
  }
  if (options.credentials !== undefined && name === 'rabbitmq')
    throw new TypeError(
      "'credentials' is for Kafka and RocketMQ; RabbitMQ's users are made with its tool rabbitmqctl.",
    );
  const uses = { ...KINDS[name].ports, ...portsFor(name, options) };
  const state = stateFolder(dir);
  const place = {
    folder: join(privateFolder(state), `${name}-${randomUUID().slice(0, 8)}`),
    jars: jarsFolder(state),
    ports: { ...(await freePorts(uses)), ...ports },
    ...options,
  };
  removeDeadLink(privateFolder(state));
  mkdirSync(place.folder, { recursive: true });
  writeFileSync(ownerFile(place.folder), identityOf(process.pid) ?? '');
  return place;
}

/** A port for each further listener that the options ask for. */
function portsFor(name: BrokerName, { advertised = [], credentials, tls }: PrivateOptions): Record<string, number> {
  return {
    ...Object.fromEntries(advertised.map((_, at) => [`behindProxy${at}`, 0])),
    ...(credentials === undefined || name !== 'kafka' ? {} : { sasl: 0 }),
    ...(tls === undefined || name === 'rocketmq' ? {} : { tls: 0 }),
    ...(tls === undefined || name !== 'kafka' ? {} : { mutualTls: 0 }),
  };
}

const ownerFile = (folder: string): string => join(folder, 'owner');

/** Ends private brokers whose owner is gone. Names of the folders it deleted, and of those whose owner still runs. */
export async function stopPrivate({ dir }: StateOptions = {}): Promise<{ stopped: string[]; inUse: string[] }> {
  const state = stateFolder(dir);
  const all = existsSync(privateFolder(state)) ? readdirSync(privateFolder(state)) : [];
  const result = { stopped: [] as string[], inUse: [] as string[] };
  for (const name of all) {
    const kind = BROKER_NAMES.find((known) => name.startsWith(`${known}-`));
    if (kind === undefined) continue;
    const folder = join(privateFolder(state), name);
    const isInUse = stillRuns(readOr(ownerFile(folder), ''));
    result[isInUse ? 'inUse' : 'stopped'].push(name);
    if (isInUse) continue;
    await new Instance(KINDS[kind], { folder, jars: jarsFolder(state), ports: {} }).kill();
    rmSync(folder, { recursive: true, force: true });
  }
  return result;
}
