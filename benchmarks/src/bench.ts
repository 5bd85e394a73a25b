import type { Contestant, Engine, Place } from './contestant.js';
import type { Stage, Work } from './works.js';

/** One work of one engine. */
export interface Contest {
  readonly work: Work;
  /** What the work measures here, where its name does not say it. */
  readonly title?: string;
  /** The first is what the others are compared with. */
  readonly contestants: readonly Contestant[];
  readonly keyed?: boolean;
  /** Messages that wait before it begins: by contestant, in their order. */
  readonly fill?: readonly number[];
  /** In place of the work's own. */
  readonly stage?: Stage;
  /** Who is measured in the same process, in turns: see `cost.ts`. */
  readonly beside?: Contestant;
  /** Rounds, where fewer than asked say all. */
  readonly rounds?: number;
}

export interface EngineBench {
  /** What a confirmation means, for all contestants. */
  readonly durability: string;
  readonly contests: readonly Contest[];
  remove(connection: Place['connection'], namespaces: readonly string[]): Promise<void>;
}

const BENCHES: Readonly<Record<Engine, () => Promise<{ readonly bench: EngineBench }>>> = {
  memory: () => import('./engines/memory.js'),
  kafka: () => import('./engines/kafka.js'),
  rabbitmq: () => import('./engines/rabbitmq.js'),
  rocketmq: () => import('./engines/rocketmq.js'),
};

/** Only one engine's clients are loaded: the others' would be part of its start and of its memory. */
export async function benchOf(engine: Engine): Promise<EngineBench> {
  return (await BENCHES[engine]()).bench;
}
