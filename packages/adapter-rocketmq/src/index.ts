import type { AdapterPackage, AdapterRuntime, ConfiguredAdapter } from '@anymq/core/adapter';
import { RocketmqAdapter, type RocketmqNative } from './adapter.js';
import { capabilities } from './capabilities.js';
import { optionsSchema, type ParsedOptions, parseOptions, type RocketmqOptions } from './options.js';

export type { RocketmqNative } from './adapter.js';
export type { RocketmqOptions, Secret } from './options.js';

/**
 * RocketMQ 5.3 or newer: messages over its gRPC proxy, topics and groups over its name server and brokers.
 *
 * @throws {MessagingError} `INVALID_CONFIG`
 */
export function rocketmq(options: RocketmqOptions): ConfiguredAdapter<RocketmqNative> {
  return configure(parseOptions(options));
}

/** For loading the adapter by name. */
export const adapter: AdapterPackage<ParsedOptions, RocketmqNative> = Object.freeze({
  name: 'rocketmq',
  optionsSchema,
  configure,
});

function configure(options: ParsedOptions): ConfiguredAdapter<RocketmqNative> {
  return Object.freeze({
    name: 'rocketmq',
    capabilities,
    create: (runtime: AdapterRuntime) => new RocketmqAdapter(options, runtime),
  });
}
