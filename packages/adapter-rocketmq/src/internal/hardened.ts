import { Duplex } from 'node:stream';
import { sleep } from '@anymq/core/adapter';
import type { Client, ClientSettings, Queue } from '../client.js';
import { fault } from '../errors.js';
import { type Endpoints, Rpc, type Stub } from './rpc.js';

/** The library's own hidden wait is 3 s for a topic without a route. */
const STARTUP_TIMEOUT_MS = 10_000;
/** The proxy's first answer can come before the library listens for it: the settings are sent again this often. */
const SETTINGS_AGAIN_MS = 250;

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

/** What a hardened client is driven by, instead of its own methods. */
export type Controls = Pick<Client<unknown>, 'rpc' | 'endpoints' | 'queues' | 'start' | 'stop'>;

/** Takes the traps out of one client of the library. `native` was just made. */
export function harden(native: unknown, settings: ClientSettings, open: (target: string) => Stub): Controls {
  const inner = native as unknown as Internals;
  const rpc = new Rpc({
    clock: settings.clock,
    open,
    metadata: () => inner.getRequestMetadata(),
    outcome: settings.outcome,
    home: inner.endpoints.facade,
    proxies: settings.proxies,
  });
  inner.rpcClientManager.close();
  inner.rpcClientManager = rpc.manager() as unknown as Internals['rpcClientManager'];
  if (!settings.useAdvertisedAddress) pin(inner);
  const telemetry = quieten(inner);
  return {
    rpc,
    endpoints: inner.endpoints,
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
