import type { ReadRecord, TopicSpec } from '../adapter/spi.js';
import { MessagingError } from '../errors.js';
import type { Cancellation } from '../producer/contract.js';
import { Follower } from '../system/follower.js';
import { pack } from '../system/parcel.js';
import type { System } from '../system/system.js';

/** One wish and its answer. */
export interface Decision {
  /** Of the send. */
  readonly token: string;
  /** Of the wish: a token may be cancelled twice. */
  readonly request: string;
  readonly deliverAt: number;
  readonly answer: Cancellation;
}

const HEADER = 'anymq-decision';
const NOTHING = new Uint8Array(0);
/** A decision is tried so long at a time; the wish stays unsettled meanwhile. */
const WRITE_MS = 10_000;

/** The durable record of what was cancelled. Only the owner of the gate writes it; whoever owns the gate next reads it. */
export class Decisions {
  readonly #system: System;
  readonly #spec: TopicSpec;

  constructor(system: System, spec: TopicSpec) {
    this.#system = system;
    this.#spec = spec;
  }

  async write(decision: Decision, signal: AbortSignal): Promise<void> {
    const { token, request } = decision;
    const { type, contentType } = this.#spec;
    const message = {
      id: request,
      body: NOTHING,
      headers: { [HEADER]: JSON.stringify(decision) },
      time: this.#system.broker.runtime.clock.now(),
    };
    const record = pack(this.#spec, message, { type, contentType }, token);
    await this.#system.post.send(this.#spec, record, { timeoutMs: WRITE_MS, signal });
  }

  /**
   * Whoever owns the gate knows everything that was decided: `see` gets it from the beginning, and goes on hearing of it. After a
   * failure it hears of all of it again.
   */
  past(see: (decision: Decision) => void, ended: AbortSignal): Follower {
    return new Follower({ system: this.#system, spec: this.#spec, each: (record) => seen(record, see), ended });
  }

  /**
   * Hears of every decision from now on, until the returned function is called.
   *
   * @param failed nothing more is heard
   */
  async follow(
    see: (decision: Decision) => void,
    failed: () => void,
    signal: AbortSignal,
  ): Promise<() => Promise<void>> {
    const { broker } = this.#system;
    const reader = await broker.run(
      (adapter) =>
        adapter.openReader(this.#spec, 'latest', {
          read: async (records) => {
            for (const record of records) seen(record, see);
          },
          failed: (error) => {
            broker.runtime.log.error('Decisions about delayed messages cannot be read.', { error });
            failed();
          },
        }),
      'follow decisions about delayed messages',
      signal,
    );
    return () => reader.close();
  }
}

function seen({ headers }: ReadRecord, see: (decision: Decision) => void): void {
  const text = headers?.[HEADER];
  if (text !== undefined) see(JSON.parse(text) as Decision);
}

/** What a caller learns who waited in vain. */
export const unanswered = (cause?: unknown): MessagingError =>
  new MessagingError(
    'INDETERMINATE',
    'Nobody said whether the delayed message was cancelled: it may or may not be. Cancel it again with the same token.',
    { cause },
  );
