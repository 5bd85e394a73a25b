// PLACEHOLDER by lead so that the build works; replaced by the real configuration loader.
import type { ConfiguredAdapter } from '../adapter/spi.js';
import type { MessagingOptions } from '../contract.js';

export interface ResolvedBroker {
  readonly adapter: ConfiguredAdapter;
  readonly origin: string;
}

export interface ResolvedConfiguration {
  readonly brokers: ReadonlyMap<string, ResolvedBroker>;
  readonly default: string;
  readonly routes: Readonly<Record<string, string>>;
  readonly namespace: string;
  readonly connectTimeoutMs: number;
  route(topic: string): string;
}

export async function resolveConfiguration(options: MessagingOptions): Promise<ResolvedConfiguration> {
  const brokers = new Map<string, ResolvedBroker>();
  for (const [name, adapter] of Object.entries(options.brokers ?? {}))
    brokers.set(name, { adapter: adapter as ConfiguredAdapter, origin: `brokers.${name} given to createMessaging` });
  const fallback = options.default ?? [...brokers.keys()][0] ?? '';
  return {
    brokers,
    default: fallback,
    routes: {},
    namespace: options.namespace ?? 'anymq',
    connectTimeoutMs: options.connectTimeoutMs ?? 30_000,
    route: () => fallback,
  };
}
