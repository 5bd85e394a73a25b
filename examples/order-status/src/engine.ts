import { createMemoryBroker, type MemoryBroker, memory } from '@anymq/adapter-memory';
import { ensureBroker } from '@anymq/brokers';
import { type BrokerConfig, createMessaging, type Messaging, type MessagingOptions } from '@anymq/core';
import { seededRandom } from './random.js';

/** Where the example can run. */
export const ENGINES = ['memory', 'kafka', 'rabbitmq', 'rocketmq'] as const;

/** Where the example can run. */
export type Engine = (typeof ENGINES)[number];

/** A broker that runs: one in this process, or one that other processes reach too. */
export type Place =
  | { readonly engine: 'memory'; readonly broker: MemoryBroker }
  | { readonly engine: Exclude<Engine, 'memory'>; readonly config: BrokerConfig };

/** What a crash costs is a setting where a broker waits for a sign of life: RocketMQ keeps the messages of the dead for 30 s by default. */
const TUNED = { kafka: {}, rabbitmq: {}, rocketmq: { leaseMs: 10_000 } };

/** Starts the broker if it does not run. All that differs between engines is in this file. */
export async function openPlace(engine: Engine, note: (line: string) => void): Promise<Place> {
  if (engine === 'memory') return { engine, broker: createMemoryBroker() };
  note(`Making sure that ${engine} runs...`);
  const { connection, started } = await ensureBroker(engine);
  note(started ? `Started ${engine}; 'npm run brokers -- down ${engine}' stops it.` : `Using the ${engine} that runs.`);
  return { engine, config: { adapter: engine, ...connection, ...TUNED[engine] } };
}

/** A messaging of its own, as each process has one. */
export const connect = (place: Place, seed: number): Promise<Messaging> =>
  messagingOn(place.engine === 'memory' ? memory({ broker: place.broker }) : place.config, seed);

/** On any broker. The seed decides how long retries wait. */
export const messagingOn = (main: NonNullable<MessagingOptions['brokers']>[string], seed: number): Promise<Messaging> =>
  createMessaging({
    // The same for every run: a namespace per run would leave topics and queues behind until the broker is full.
    namespace: 'order-status',
    brokers: { main },
    cwd: import.meta.dirname,
    random: seededRandom(seed),
  });
