import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Instance } from './instance.js';
import type { BrokerName, Connection } from './kind.js';
import { KINDS } from './kinds.js';
import { locked } from './lock.js';
import { freePorts, type Ports } from './ports.js';
import { until } from './process.js';
import { jarsFolder, readOr, removeDeadLink, sharedFolder, stateFolder } from './state.js';

/** A machine that is busy makes a healthy broker of somebody else look silent for a moment. */
const PATIENCE_MS = 10_000;

/** Where state is kept. */
export interface StateOptions {
  /** @default `$ANYMQ_TEST_BROKERS_DIR`, else `.brokers` in the repository */
  readonly dir?: string;
}

/** How a shared broker is made to run. */
export interface EnsureOptions extends StateOptions {
  /**
   * Use no broker that others have started: where theirs is in the way, ours moves to free ports, for everybody who asks for the
   * shared broker, until it is stopped. What others have left on a broker is not ours to clean up, nor to be stopped by. @default false
   */
  readonly own?: boolean;
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
  const usual = instanceOf(name, state, KINDS[name].ports);
  const ports = usual.pids().length > 0 ? movedPorts(state, name) : undefined;
  return { instance: ports === undefined ? usual : instanceOf(name, state, ports), state };
}

const instanceOf = (name: BrokerName, state: string, ports: Ports): Instance =>
  new Instance(KINDS[name], { folder: sharedFolder(state, name), jars: jarsFolder(state), ports });

/** Says where a shared broker of ours is that is not at its usual ports. Means nothing when it does not run. */
const portsFile = (state: string, name: BrokerName): string => join(sharedFolder(state, name), 'ports.json');

function movedPorts(state: string, name: BrokerName): Ports | undefined {
  const text = readOr(portsFile(state, name), undefined);
  return text === undefined ? undefined : JSON.parse(text);
}

/**
 * Uses the shared broker if it answers, else starts it; it goes on when this process ends. Safe to call from many
 * processes. Rejects with a BrokerError of one sentence.
 */
export function ensureBroker(name: BrokerName, options: EnsureOptions = {}): Promise<RunningBroker> {
  const state = stateFolder(options.dir);
  return locked(state, name, async () => {
    removeDeadLink(sharedFolder(state, name));
    const { instance } = shared(name, options);
    const ours = options.own === true && (await isForeign(instance)) ? await moved(name, state) : instance;
    const { kind, place } = ours;
    const running = { name, connection: kind.connection(place.ports), endpoints: endpointsOf(place.ports) };
    if (await answersSoon(ours)) return { ...running, started: false, foreign: ours.pids().length === 0 };
    await ours.start();
    return { ...running, started: true, foreign: false };
  });
}

const isForeign = async (instance: Instance): Promise<boolean> =>
  instance.pids().length === 0 && (await instance.isBusy());

async function moved(name: BrokerName, state: string): Promise<Instance> {
  const ports = await freePorts(KINDS[name].ports);
  mkdirSync(sharedFolder(state, name), { recursive: true });
  writeFileSync(portsFile(state, name), JSON.stringify(ports));
  return instanceOf(name, state, ports);
}

async function answersSoon(instance: Instance): Promise<boolean> {
  if (await instance.answers()) return true;
  if (instance.pids().length > 0 || !(await instance.isBusy())) return false;
  return until(() => instance.answers(), PATIENCE_MS);
}

/** Stops the shared broker if it is ours. False when there was nothing of ours to stop. */
export function stopBroker(name: BrokerName, options: StateOptions = {}): Promise<boolean> {
  const state = stateFolder(options.dir);
  return locked(state, name, async () => {
    const { instance } = shared(name, options);
    const runs = instance.pids().length > 0;
    if (runs) await instance.stop();
    rmSync(portsFile(state, name), { force: true });
    return runs;
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
