import { z } from 'zod';
import type { ConfiguredAdapter } from '../adapter/spi.js';
import type { BrokerConfig, MessagingOptions } from '../contract.js';
import { isNamespace } from '../names.js';
import { isRecord } from './problems.js';

/** What `anymq.config.*` holds. The same keys can be given to `createMessaging`. */
export interface Configuration {
  /** For editors; not read. */
  readonly $schema?: string;
  /** Brokers by name: the name of an adapter with its options or, in `.js` and `.ts` files, a ready adapter. */
  readonly brokers?: Readonly<Record<string, BrokerConfig | ConfiguredAdapter>>;
  /** Broker of the topics that no route names. @default the only broker */
  readonly default?: string;
  /** Topic pattern (`*` one word, `#` any number of words) to broker name; the most specific pattern wins. */
  readonly routes?: Readonly<Record<string, string>>;
  /** Every name on a broker stands under it: 1-24 letters, digits, single hyphens. @default 'anymq' */
  readonly namespace?: string;
  /** How long connecting to a broker is tried, milliseconds, 100-3,600,000. @default 30_000 */
  readonly connectTimeoutMs?: number;
}

/** Gives `anymq.config.ts` and `.js` their types: `export default defineConfig({ brokers: {...} })`. Returns its argument. */
export function defineConfig(configuration: Configuration): Configuration {
  return configuration;
}

export const DEFAULT_NAMESPACE = 'anymq';
export const DEFAULT_CONNECT_TIMEOUT_MS = 30_000;

/** Brokers are checked one by one: what may stand in one depends on its adapter. */
export const configurationSchema = z.strictObject({
  $schema: z.string().optional(),
  brokers: z.custom((value) => isRecord(value), 'expected an object of brokers by name').optional(),
  default: z.string().optional(),
  routes: z.record(z.string(), z.string(), 'expected an object of topic patterns and broker names').optional(),
  namespace: z
    .string()
    .refine(isNamespace, 'expected 1 to 24 letters and digits, in words separated by single hyphens')
    .optional(),
  connectTimeoutMs: z.int().min(100).max(3_600_000).optional(),
});

/** Keys that stand in a configuration as well as in the options of `createMessaging`. */
export const SHARED_KEYS = ['brokers', 'default', 'routes', 'namespace', 'connectTimeoutMs'] as const;

/** A new option of `createMessaging` belongs here too: all others are refused. */
export const OPTION_KEYS = Object.keys({
  brokers: true,
  default: true,
  routes: true,
  namespace: true,
  connectTimeoutMs: true,
  configFile: true,
  cwd: true,
  env: true,
  clock: true,
  random: true,
  logger: true,
} satisfies Record<keyof MessagingOptions, true>);

const BROKER_NAME = /^[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*$/;
export const BROKER_NAME_RULE = 'expected letters and digits, in words separated by single dots or hyphens';
export const isBrokerName = (name: string): boolean => name.length <= 64 && BROKER_NAME.test(name);

/** By shape: an adapter may come with a copy of this package of its own. */
export function isConfiguredAdapter(value: unknown): value is ConfiguredAdapter {
  return isRecord(value) && typeof value.create === 'function' && isRecord(value.capabilities);
}
