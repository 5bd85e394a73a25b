import type { AdapterPackage, AdapterRuntime, ConfiguredAdapter } from '@anymq/core/adapter';
import { RabbitmqAdapter, type RabbitmqNative } from './adapter.js';
import { capabilities } from './capabilities.js';
import { optionsSchema, type ParsedOptions, parseOptions, type RabbitmqOptions } from './options.js';

export type { RabbitmqNative } from './adapter.js';
export type { RabbitmqOptions, Secret } from './options.js';

/**
 * RabbitMQ 3.10 or newer, over AMQP 0-9-1, without plugins.
 *
 * @throws {MessagingError} `INVALID_CONFIG`
 */
export function rabbitmq(options: RabbitmqOptions): ConfiguredAdapter<RabbitmqNative> {
  return configure(parseOptions(options));
}

/** For loading the adapter by name. */
export const adapter: AdapterPackage<ParsedOptions, RabbitmqNative> = Object.freeze({
  name: 'rabbitmq',
  optionsSchema,
  configure,
});

function configure(options: ParsedOptions): ConfiguredAdapter<RabbitmqNative> {
  return Object.freeze({
    name: 'rabbitmq',
    capabilities,
    create: (runtime: AdapterRuntime) => new RabbitmqAdapter(options, runtime),
  });
}
