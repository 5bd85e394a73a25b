import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Instance } from './instance.js';
import { kafka } from './kafka.js';
import { BROKER_NAMES, type BrokerName, type Connection, type Kind } from './kind.js';
import { freePorts, isOpen } from './ports.js';
import { rabbitmq } from './rabbitmq.js';
import { rocketmq } from './rocketmq.js';
import { locked, privateFolder, sharedFolder } from './state.js';

const KINDS: Readonly<Record<BrokerName, Kind>> = { kafka, rabbitmq, rocketmq };

/** A broker that answers. */
export interface RunningBroker {
  readonly name: BrokerName;
  /** `{ adapter: name, ...connection }` is an AnyMQ broker configuration. */
  readonly connection: Connection;
  /** This call started it. */
  readonly started: boolean;
  /** It runs, and not through us: it is used as it is and never stopped. */
  readonly foreign: boolean;
}

/** How a shared broker stands. */
export interface BrokerStatus {
  readonly name: BrokerName;
  readonly title: string;
  /** `busy`: something else listens on its port, or it does not answer. */
  readonly state: 'up' | 'down' | 'busy';
  readonly foreign: boolean;
  readonly pids: readonly number[];
  readonly connection: Connection;
}

/** A second broker on free ports with its own data, which its owner may kill. */
export interface PrivateBroker extends AsyncDisposable {
  readonly name: BrokerName;
  readonly connection: Connection;
  /** SIGKILL: it writes nothing more. */
  kill(): Promise<void>;
  /** SIGTERM, and waits for its end. */
  stop(): Promise<void>;
  /** Starts it again on the same data and ports; resolves when it answers. */
  restart(): Promise<void>;
  /** SIGSTOP: it keeps its connections and says nothing. */
  suspend(): void;
  resume(): void;
  /** Ends it and deletes its data. */
  close(): Promise<void>;
}

const shared = (name: BrokerName): Instance =>
  new Instance(KINDS[name], { folder: sharedFolder(name), ports: KINDS[name].ports });

/** Uses the shared broker if it answers, else starts it. Safe to call from many processes. Rejects with one sentence. */
export function ensureBroker(name: BrokerName): Promise<RunningBroker> {
  const instance = shared(name);
  const running = { name, connection: instance.kind.connection(instance.place.ports) };
  return locked(name, async () => {
    if (await instance.answers()) return { ...running, started: false, foreign: instance.pids().length === 0 };
    await instance.start();
    return { ...running, started: true, foreign: false };
  });
}

/** Stops the shared broker if it is ours. False when there was nothing of ours to stop. */
export function stopBroker(name: BrokerName): Promise<boolean> {
  return locked(name, async () => {
    const instance = shared(name);
    if (instance.pids().length === 0) return false;
    await instance.stop();
    return true;
  });
}

/** Asks the shared broker. Never rejects. */
export async function brokerStatus(name: BrokerName): Promise<BrokerStatus> {
  const instance = shared(name);
  const { kind, place } = instance;
  const pids = instance.pids();
  const answers = await instance.answers();
  const open = answers || (await isOpen(Object.values(place.ports)[0] ?? 0));
  const state = answers ? 'up' : open ? 'busy' : 'down';
  return {
    name,
    title: kind.title,
    state,
    foreign: answers && pids.length === 0,
    pids,
    connection: kind.connection(place.ports),
  };
}

/** Paths of the log files of the shared broker, if we started it. */
export const brokerLogs = (name: BrokerName): string[] => shared(name).logs();

/** Starts a private broker. Close it, or `down --all` does. */
export async function startPrivate(name: BrokerName): Promise<PrivateBroker> {
  const kind = KINDS[name];
  const place = {
    folder: join(privateFolder(), `${name}-${randomUUID().slice(0, 8)}`),
    ports: await freePorts(kind.ports),
  };
  const instance = new Instance(kind, place);
  const close = async (): Promise<void> => {
    await instance.stop('SIGKILL');
    rmSync(place.folder, { recursive: true, force: true });
  };
  await instance.start().catch(async (error) => {
    await close();
    throw error;
  });
  return {
    name,
    connection: kind.connection(place.ports),
    kill: () => instance.stop('SIGKILL'),
    stop: () => instance.stop('SIGTERM'),
    restart: () => instance.start(),
    suspend: () => instance.signal('SIGSTOP'),
    resume: () => instance.signal('SIGCONT'),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Ends private brokers that their owners left behind. Returns their folders' names. */
export async function stopPrivate(): Promise<string[]> {
  const folders = existsSync(privateFolder()) ? readdirSync(privateFolder()) : [];
  for (const folder of folders) {
    const name = BROKER_NAMES.find((known) => folder.startsWith(`${known}-`));
    if (name === undefined) continue;
    const path = join(privateFolder(), folder);
    await new Instance(KINDS[name], { folder: path, ports: {} }).stop('SIGKILL');
    rmSync(path, { recursive: true, force: true });
  }
  return folders;
}
