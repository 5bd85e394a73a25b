import type { AdapterPackage, AdapterRuntime, Clock, ConfiguredAdapter } from '@anymq/core/adapter';
import { MemoryAdapter } from './adapter.js';
import { capabilitiesOf } from './capabilities.js';
import { Engine } from './internal/engine.js';
import type { Schedule } from './internal/scheduler.js';
import { type MemoryBroker, Way } from './internal/way.js';
import {
  type BrokerSettings,
  brokerSchema,
  type MemoryOptions,
  optionsSchema,
  type ParsedOptions,
  parseOptions,
  settingsOf,
} from './options.js';

export type { NativeMessage, StoredMessage } from './codec.js';
export { type Schedule, seededScheduler } from './internal/scheduler.js';
export { type VirtualClock, virtualClock } from './internal/virtual-clock.js';
export type { Availability, MemoryBroker } from './internal/way.js';
export type { BrokerSettings, MemoryOptions } from './options.js';

/** What `native` is: the broker itself. */
export type MemoryNative = MemoryBroker;

/** What `createMemoryBroker` takes. */
export type MemoryBrokerOptions = { readonly [Name in keyof BrokerSettings]?: BrokerSettings[Name] | undefined } & {
  /** The broker's own time, for leases. @default the clock of the first messaging that uses the broker */
  readonly clock?: Clock | undefined;
  /** Runs the broker's tasks. @default in order, soon, sharing the process with everything else */
  readonly schedule?: Schedule | undefined;
};

/**
 * A broker that several messagings can share, as processes share a real one: `memory({ broker })`.
 *
 * @throws {MessagingError} `INVALID_CONFIG`
 */
export function createMemoryBroker(options: MemoryBrokerOptions = {}): MemoryBroker {
  const { clock, schedule, ...settings } = options;
  return newBroker(settings, { clock, schedule });
}

/**
 * The in-memory engine.
 *
 * @throws {MessagingError} `INVALID_CONFIG`
 */
export function memory(options: MemoryOptions = {}): ConfiguredAdapter<MemoryNative> {
  return configure(parseOptions(optionsSchema, options, 'Options of memory()'));
}

/** For loading the adapter by name. */
export const adapter: AdapterPackage<ParsedOptions, MemoryNative> = Object.freeze({
  name: 'memory',
  optionsSchema,
  configure,
});

function configure({ broker, topology, ...settings }: ParsedOptions): ConfiguredAdapter<MemoryNative> {
  const way = broker ?? newBroker(settings, { clock: undefined, schedule: undefined });
  return Object.freeze({
    name: 'memory',
    capabilities: capabilitiesOf(way.engine.settings.maxBodyBytes),
    create: (runtime: AdapterRuntime) => new MemoryAdapter(way, runtime, topology),
  });
}

function newBroker(settings: object, injected: { clock: Clock | undefined; schedule: Schedule | undefined }): Way {
  const checked = parseOptions(brokerSchema, settings, 'Options of createMemoryBroker()');
  return new Way(new Engine({ ...settingsOf(checked), ...injected }));
}
