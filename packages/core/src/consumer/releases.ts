import type { System } from '../system/system.js';
import { inboxOf } from '../system/topics.js';
import type { TopicDefinition } from '../topic.js';
import type { Destination } from './departures.js';
import { ParcelRecord } from './parcel-record.js';
import type { Work } from './work.js';

/** Makes of a failed message the copy that its group gets again later, while others of its key pass. */
export class Releases {
  readonly #system: System;
  readonly #topic: TopicDefinition;
  readonly #group: string;

  constructor(system: System, topic: TopicDefinition, group: string) {
    this.#system = system;
    this.#topic = topic;
    this.#group = group;
  }

  /** The copy of `work`, due in `delayMs`. */
  write(work: Work, delayMs: number): () => Destination {
    const { broker, delays, history, post } = this.#system;
    const { record, attempts, firstFailed } = work;
    const { spec } = this.#topic;
    const { position, key, type = spec.type, contentType = spec.contentType } = record;
    const cycles = record instanceof ParcelRecord ? record.note.cycles : undefined;
    const note = { key, type, contentType, position, attempts, firstFailed, cycles };
    const deliverAt = broker.runtime.clock.now() + delayMs;
    const to = inboxOf(spec.name, this.#group, history);
    const token = delays.newToken();
    return () => ({ post, ...delays.place(record, note, { to, deliverAt, token, asParcel: true }) });
  }
}
