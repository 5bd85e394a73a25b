import { Instance } from './instance.js';
import type { BrokerName, Connection } from './kind.js';
import { KINDS } from './kinds.js';
import { locked } from './lock.js';
import type { Ports } from './ports.js';
import { until } from './process.js';
import { jarsFolder, sharedFolder, stateFolder } from './state.js';

/** A machine that is busy makes a healthy broker of somebody else look silent for a moment. */
const PATIENCE_MS = 10_000;

/** Where state is kept. */
export interface StateOptions {
  /** @default `$ANYMQ_TEST_BROKERS_DIR`, else `.brokers` in the repository */
  readonly dir?: string;
}

/** A broker that answers. */
export interface RunningBroker {
  readonly name: BrokerName;
  /** `{ adapter: name, ...connection }` is an AnyMQ broker configuration. */
  readonly connection: Connection;
  /** `host:port` by use, e.g. `{ client: '127.0.0.1:9092', controller: '127.0.0.1:9093' }`. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** This call started it. */
  readonly started: boolean;
  /** It runs, and not through us: it is used as it is and never stopped. */
  readonly foreign: boolean;
}

/** How a shared broker stands. */
export interface BrokerStatus {
  readonly name: BrokerName;
  readonly title: string;
  /** `busy`: something else listens on its ports, or it does not answer. */
  readonly state: 'up' | 'down' | 'busy';
  readonly foreign: boolean;
  readonly pids: readonly number[];
  readonly connection: Connection;
}

/** Ports as `host:port`. */
export const endpointsOf = (ports: Ports): Record<string, string> =>
  Object.fromEntries(Object.entries(ports).map(([use, port]) => [use, `127.0.0.1:${port}`]));

function shared(name: BrokerName, { dir }: StateOptions): { instance: Instance; state: string } {
  const state = stateFolder(dir);
  const kind = KINDS[name];
  const place = { folder: sharedFolder(state, name), jars: jarsFolder(state), ports: kind.ports };
  return { instance: new Instance(kind, place), state };
}

/**
 * Uses the shared broker if it answers, else starts it; it goes on when this process ends. Safe to call from many
 * processes. Rejects with a BrokerError of one sentence.
 */
export function ensureBroker(name: BrokerName, options: StateOptions = {}): Promise<RunningBroker> {
  const { instance, state } = shared(name, options);
  const { kind, place } = instance;
  const running = { name, connection: kind.connection(place.ports), endpoints: endpointsOf(place.ports) };
  return locked(state, name, async () => {
    if (await answersSoon(instance)) return { ...running, started: false, foreign: instance.pids().length === 0 };
    await instance.start();
    return { ...running, started: true, foreign: false };
  });
}

async function answersSoon(instance: Instance): Promise<boolean> {
  if (await instance.answers()) return true;
  if (instance.pids().length > 0 || !(await instance.isBusy())) return false;
  return until(() => instance.answers(), PATIENCE_MS);
}

/** Stops the shared broker if it is ours. False when there was nothing of ours to stop. */
export function stopBroker(name: BrokerName, options: StateOptions = {}): Promise<boolean> {
  const { instance, state } = shared(name, options);
  return locked(state, name, async () => {
    if (instance.pids().length === 0) return false;
    await instance.stop();
    return true;
  });
}

/** Asks the shared broker. Never rejects. */
export async function brokerStatus(name: BrokerName, options: StateOptions = {}): Promise<BrokerStatus> {
  const { instance } = shared(name, options);
  const { kind, place } = instance;
  const pids = instance.pids();
  const answers = await instance.answers();
  const state = answers ? 'up' : (await instance.isBusy()) ? 'busy' : 'down';
  const foreign = answers && pids.length === 0;
  return { name, title: kind.title, state, foreign, pids, connection: kind.connection(place.ports) };
}

/** Paths of the log files of the shared broker, if we started it. */
export const brokerLogs = (name: BrokerName, options: StateOptions = {}): string[] =>
  shared(name, options).instance.logs();
