import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endpointsOf, type StateOptions } from './brokers.js';
import { identityOf, stillRuns } from './identity.js';
import { Instance } from './instance.js';
import { BROKER_NAMES, type BrokerName, type Connection, type Place } from './kind.js';
import { KINDS } from './kinds.js';
import { freePorts, type Ports } from './ports.js';
import { jarsFolder, privateFolder, readOr, stateFolder } from './state.js';

/** How a private broker differs from the usual. */
export interface PrivateOptions extends StateOptions {
  /** Ports by use, e.g. `{ client: 9192 }`. @default free ones */
  readonly ports?: Ports;
  /**
   * Kafka only: a second listener, at `endpoints.behindProxy`, that tells its clients to use this `host:port`. Clients that
   * begin at a TCP proxy of this address stay behind it.
   */
  readonly advertised?: string;
}

/** A second broker on free ports with its own data, which its owner may kill. */
export interface PrivateBroker extends AsyncDisposable {
  readonly name: BrokerName;
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
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function newPlace(name: BrokerName, { dir, ports, advertised }: PrivateOptions): Promise<Place> {
  if (advertised !== undefined && name !== 'kafka') throw new TypeError(`'advertised' is for Kafka, not for ${name}.`);
  const uses = advertised === undefined ? KINDS[name].ports : { ...KINDS[name].ports, behindProxy: 0 };
  const state = stateFolder(dir);
  const place = {
    folder: join(privateFolder(state), `${name}-${randomUUID().slice(0, 8)}`),
    jars: jarsFolder(state),
    ports: { ...(await freePorts(uses)), ...ports },
    ...(advertised === undefined ? {} : { advertised }),
  };
  mkdirSync(place.folder, { recursive: true });
  writeFileSync(ownerFile(place.folder), identityOf(process.pid) ?? '');
  return place;
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
