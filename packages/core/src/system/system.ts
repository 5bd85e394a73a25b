import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Broker } from '../broker.js';
import { Delays } from '../delay/delays.js';
import { MessagingError } from '../errors.js';
import { supports } from '../requirements.js';
import { Post } from './post.js';
import type { History } from './topics.js';

/** What a system tells its messaging. */
export interface SystemEvents {
  /** A delayed message is due and could not be sent to its topic; it is tried again. */
  delayFailed(topic: string, id: string, error: unknown): void;
}

/** What core keeps on one broker for its own purposes. */
export class System {
  readonly broker: Broker;
  readonly post: Post;
  readonly delays: Delays;
  /** Names this system among all those that use the namespace. */
  readonly uuid = randomUUID();
  readonly #closing = new AbortController();
  readonly #calls = new Set<Promise<unknown>>();
  #numbers = 0;

  constructor(broker: Broker, events: SystemEvents) {
    this.broker = broker;
    this.post = new Post(broker);
    // Everything under way listens, 64 times for one redrive: that is no leak, and Node would warn of one.
    setMaxListeners(0, this.#closing.signal);
    const failed: SystemEvents['delayFailed'] = (topic, id, error) => events.delayFailed(topic, id, error);
    this.delays = new Delays({ system: this, failed });
  }

  /** Of topics that need none: what nobody keeps costs nothing. */
  get history(): History {
    return supports(this.broker.configured, 'no-history') ? 'none' : 'full';
  }

  /** Aborted, with `CLOSED`, when the messaging closes: {@link track tracked} calls end then. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** A number higher than any before. */
  number(): number {
    this.#numbers += 1;
    return this.#numbers;
  }

  /** `close` waits for `call`: what it opened is closed before the broker is. */
  track<T>(call: Promise<T>): Promise<T> {
    const ended = call.then(
      () => {},
      () => {},
    );
    this.#calls.add(ended);
    void ended.then(() => this.#calls.delete(ended));
    return call;
  }

  /** Ends the calls under way. */
  stop(): void {
    this.#closing.abort(new MessagingError('CLOSED', 'This messaging is closed. Call createMessaging() again.'));
  }

  /** Consumers and producers were closed before. */
  async close(): Promise<void> {
    this.stop();
    // A call that ends may leave another one behind, which closes what came too late.
    while (this.#calls.size > 0) await Promise.all(this.#calls);
    await this.delays.close();
    await this.post.close();
  }
}
