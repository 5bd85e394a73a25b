import type { ConfiguredAdapter } from '@anymq/core/adapter';
import { removeTopic } from './broker.js';

/** Remembers what adapters have made on the broker, and deletes it. A group is 16 queues: too much to leave behind. */
export class Cleanup {
  readonly #groups = new Map<string, { namespace: string; topic: string; groups: Set<string> }>();

  watch<Native>(configured: ConfiguredAdapter<Native>): ConfiguredAdapter<Native> {
    return {
      ...configured,
      create: (runtime) => {
        const adapter = configured.create(runtime);
        const openSender = adapter.openSender.bind(adapter);
        const openReceiver = adapter.openReceiver.bind(adapter);
        return Object.assign(adapter, {
          openSender: (topic: Parameters<typeof openSender>[0]) => {
            this.#made(runtime.namespace, topic.name);
            return openSender(topic);
          },
          openReceiver: (...given: Parameters<typeof openReceiver>) => {
            this.#made(runtime.namespace, given[0].topic.name).add(given[0].group);
            return openReceiver(...given);
          },
        });
      },
    };
  }

  async run(): Promise<void> {
    const all = [...this.#groups.values()];
    const worker = async (): Promise<void> => {
      for (let next = all.pop(); next !== undefined; next = all.pop()) {
        await removeTopic(next.namespace, next.topic, [...next.groups]);
      }
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
  }

  #made(namespace: string, topic: string): Set<string> {
    const key = `${namespace} ${topic}`;
    const made = this.#groups.get(key) ?? { namespace, topic, groups: new Set<string>() };
    this.#groups.set(key, made);
    return made.groups;
  }
}
