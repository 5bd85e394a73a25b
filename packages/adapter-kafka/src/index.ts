import type { AdapterPackage, AdapterRuntime, ConfiguredAdapter } from '@anymq/core/adapter';
import { KafkaAdapter } from './adapter.js';
import { capabilities } from './capabilities.js';
import type { KafkaNative } from './client.js';
import { type KafkaOptions, optionsSchema, type ParsedOptions, parseOptions } from './options.js';

export type { KafkaNative } from './client.js';
export type { KafkaOptions, KafkaSaslOptions, KafkaSslOptions, Secret } from './options.js';

/**
 * Apache Kafka.
 *
 * @throws {MessagingError} `INVALID_CONFIG`
 */
export function kafka(options: KafkaOptions): ConfiguredAdapter<KafkaNative> {
  return configure(parseOptions(options));
}

/** For loading the adapter by name. */
export const adapter: AdapterPackage<ParsedOptions, KafkaNative> = Object.freeze({
  name: 'kafka',
  optionsSchema,
  configure,
});

function configure(options: ParsedOptions): ConfiguredAdapter<KafkaNative> {
  return Object.freeze({
    name: 'kafka',
    capabilities,
    create: (runtime: AdapterRuntime) => new KafkaAdapter(options, runtime),
  });
}
