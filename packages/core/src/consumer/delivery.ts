import type { MessagingError } from '../errors.js';
import type { Delivery } from '../message.js';
import type { TopicDefinition } from '../topic.js';
import type { Work } from './work.js';

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** One handler call's view of a message. A retry gets a new one: what a handler changes, the next call does not see. */
export class CoreDelivery implements Delivery<unknown> {
  readonly id: string;
  readonly topic: string;
  readonly type: string;
  readonly value: unknown;
  readonly key: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly time: number;
  readonly group: string;
  readonly attempt: number;
  readonly redelivered: boolean;
  readonly position: string;
  readonly #work: Work;
  #controller: AbortController | undefined;
  /** Why its time is over. */
  #late: MessagingError | undefined;

  constructor(work: Work, value: unknown, topic: TopicDefinition, group: string) {
    const { record } = work;
    this.id = record.id;
    this.topic = topic.spec.name;
    this.type = record.type ?? topic.spec.type;
    this.value = value;
    this.key = record.key;
    this.headers = record.headers === undefined ? NO_HEADERS : { ...record.headers };
    this.time = record.time;
    this.group = group;
    this.attempt = work.attempts + 1;
    this.redelivered = record.redelivered || work.attempts > 0;
    this.position = record.position;
    this.#work = work;
  }

  /** Made when somebody looks: an AbortController costs more than everything else about a delivery. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = this.#work.source.watch();
      if (this.#late !== undefined) this.#controller.abort(this.#late);
    }
    return this.#controller.signal;
  }

  /** Tells the handler to stop, now or when it looks. */
  abort(reason: MessagingError): void {
    this.#late = reason;
    this.#controller?.abort(reason);
  }

  /** The handler call is over. */
  end(): void {
    if (this.#controller !== undefined) this.#work.source.forget(this.#controller);
  }
}
