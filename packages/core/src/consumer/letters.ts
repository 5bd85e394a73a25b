import { checkSize } from '../producer/prepare.js';
import type { System } from '../system/system.js';
import { ledgerOf } from '../system/topics.js';
import type { TopicDefinition } from '../topic.js';
import type { Destination } from './departures.js';
import { type LetterContext, ledgerRecord, letterOf, letterTopic } from './letter.js';
import type { Work } from './work.js';

export interface LettersSettings extends Omit<LetterContext, 'maxHeadersBytes'> {
  /** A topic of the user's, or undefined: the group's own dead letters. */
  readonly to: string | undefined;
  /** Of the broker that the letters go to. */
  readonly system: System;
}

/** Makes dead letters of what a subscription gives up. */
export class Letters {
  readonly #settings: LettersSettings;
  readonly #context: LetterContext;
  readonly #topic: TopicDefinition | undefined;
  /** Where letters go. */
  readonly topic: string;

  constructor(settings: LettersSettings) {
    const { system, topic, group, to } = settings;
    const { limits } = system.broker.configured.capabilities;
    this.#settings = settings;
    this.#context = { ...settings, maxHeadersBytes: limits.maxHeadersBytes };
    this.#topic = to === undefined ? undefined : letterTopic(topic, to);
    this.topic = to ?? ledgerOf(topic.spec.name, group).name;
  }

  /** The letter of `work`, as of now. */
  write(work: Work, error: unknown): () => Destination {
    const { system } = this.#settings;
    const now = system.broker.runtime.clock.now();
    if (this.#topic !== undefined) return this.#toTopic(this.#topic, work, error, now);
    const { topic, group } = this.#settings;
    const spec = ledgerOf(topic.spec.name, group);
    const record = ledgerRecord(this.#context, spec, work, error, now);
    return () => ({ post: system.post, spec, record });
  }

  /** Another broker may take less than the one where the message comes from. */
  #toTopic({ spec }: TopicDefinition, work: Work, error: unknown, now: number): () => Destination {
    const { system } = this.#settings;
    const record = letterOf(this.#context, work, error, now);
    return () => {
      checkSize(record, spec.name, system.broker.configured.capabilities.limits);
      return { post: system.post, spec, record };
    };
  }
}
