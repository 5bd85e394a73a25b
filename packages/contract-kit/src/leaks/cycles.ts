import { createMessaging, defineTopic, type MessagingError, type Topic } from '@anymq/core';
import type { ConfiguredAdapter } from '@anymq/core/adapter';
import { z } from 'zod';

const schema = z.object({ key: z.string(), n: z.number() });
type Value = z.infer<typeof schema>;

/** Time for all cycles, from which follows how many go side by side. */
const WANTED_MS = 12_000;
const MIN_LANES = 8;
const MAX_LANES = 100;

/** What cycles work on. */
export interface CycleSettings {
  readonly configure: () => ConfiguredAdapter;
  readonly namespace: string;
  /** Nobody else uses topics of this name. */
  readonly topic: string;
}

/** Connects, sends, receives it, and closes: everything that a process of a service does, many times over. */
export class Cycles {
  readonly #settings: CycleSettings;
  readonly #topics: Topic<Value, Value>[] = [];
  #numbers = 0;

  constructor(settings: CycleSettings) {
    this.#settings = settings;
  }

  /** Once in each lane: libraries are loaded, topics stand. @param lanes @default as many as `count` cycles need to end in time */
  async warmUp(count: number, lanes?: number): Promise<void> {
    await this.#inLanes(lanes ?? (await this.#lanesFor(count)), 1);
  }

  /** At least `count` cycles; resolves with how many. */
  async run(count: number): Promise<number> {
    const lanes = this.#topics.length;
    const rounds = Math.ceil(count / lanes);
    await this.#inLanes(lanes, rounds);
    return lanes * rounds;
  }

  async #lanesFor(count: number): Promise<number> {
    await this.#cycle(0);
    const begin = performance.now();
    await this.#cycle(0);
    const lanes = Math.ceil((count * (performance.now() - begin)) / WANTED_MS);
    return Math.min(count, MAX_LANES, Math.max(MIN_LANES, lanes));
  }

  async #inLanes(lanes: number, rounds: number): Promise<void> {
    const work = async (lane: number): Promise<void> => {
      for (let round = 0; round < rounds; round++) await this.#cycle(lane);
    };
    await Promise.all(Array.from({ length: lanes }, (_, lane) => work(lane)));
  }

  async #cycle(lane: number): Promise<void> {
    const { configure, namespace } = this.#settings;
    await cycle(configure(), namespace, this.#topicOf(lane), ++this.#numbers);
  }

  #topicOf(lane: number): Topic<Value, Value> {
    this.#topics[lane] ??= topicOf(`${this.#settings.topic}-${lane}`);
    return this.#topics[lane];
  }
}

/** Everything that a process of a service does, once: connects, sends a message, receives it, and closes. */
export function roundTrip(configured: ConfiguredAdapter, namespace: string, topic: string): Promise<void> {
  return cycle(configured, namespace, topicOf(topic), 1);
}

async function cycle(
  configured: ConfiguredAdapter,
  namespace: string,
  topic: Topic<Value, Value>,
  n: number,
): Promise<void> {
  await using messaging = await createMessaging({ namespace, brokers: { main: configured } });
  const consumer = messaging.consumer({ group: 'g' });
  const received = new Promise<void>((resolve) => {
    consumer.subscribe(topic, ({ value }) => {
      if (value.n === n) resolve();
    });
  });
  await consumer.start();
  await messaging.producer().send(topic, { key: 'a', n });
  await received;
}

const topicOf = (name: string): Topic<Value, Value> => defineTopic(name, { schema, key: ({ key }) => key });

/** Tries in vain to connect to a broker that is not there, `count` times, some at once. Throws when one succeeds. */
export async function failedConnects(configure: () => ConfiguredAdapter, count: number): Promise<void> {
  const work = async (): Promise<void> => {
    for (let left = count / MIN_LANES; left > 0; left--) await failedConnect(configure);
  };
  await Promise.all(Array.from({ length: MIN_LANES }, work));
}

async function failedConnect(configure: () => ConfiguredAdapter): Promise<void> {
  await using messaging = await createMessaging({ brokers: { main: configure() }, connectTimeoutMs: 250 });
  const code = await messaging.connect().then(
    () => 'none',
    (error: MessagingError) => error.code,
  );
  if (code !== 'UNAVAILABLE') throw new Error(`Connecting to nothing ended with ${code} in place of UNAVAILABLE.`);
}
