import { decodeWith } from '../codec.js';
import { invalidArgument } from '../errors.js';
import type { BatchHandler, Handler, Outcome } from '../message.js';
import { validate } from '../schema.js';
import type { TopicDefinition } from '../topic.js';
import { CoreDelivery } from './delivery.js';
import { ACKED, failed, givenUp, toResult } from './outcome.js';
import type { Work } from './work.js';

/** What became of one message in a handler call. */
export type Result =
  | { readonly kind: 'ack' }
  /** The handler threw, or returned what it cannot. */
  | { readonly kind: 'failed'; readonly error: unknown }
  /** The handler said what is to become of it. */
  | {
      readonly kind: 'decided';
      readonly decision: 'retry' | 'dead-letter' | 'discard';
      readonly afterMs?: number;
      readonly error: unknown;
    }
  /** No handler was called: it cannot be decoded, or the schema refuses it. */
  | { readonly kind: 'unreadable'; readonly error: unknown }
  /** No handler was called: the broker has given it up. */
  | { readonly kind: 'given-up'; readonly error: unknown }
  /** No handler was called; it comes again here, and that does not count. */
  | { readonly kind: 'postponed'; readonly error?: unknown }
  /** No handler was called, and none will be here. */
  | { readonly kind: 'untouched' };

/** Calls handlers. Nothing here throws or rejects. */
export interface HandlerCalls {
  one(work: Work): Result | Promise<Result>;
  /** One result per work. */
  many(works: readonly Work[]): Promise<readonly Result[]>;
}

const unreadable = (error: unknown): Result => ({ kind: 'unreadable', error });

/** Decodes, validates and calls the user's handler. Nothing here throws or rejects. */
export class Calls implements HandlerCalls {
  readonly #topic: TopicDefinition;
  readonly #group: string;
  readonly #handler: Handler<unknown> | BatchHandler<unknown>;
  readonly #maxHoldMs: number;

  /** @param maxHoldMs the longest wait that a handler may ask for */
  constructor(
    topic: TopicDefinition,
    group: string,
    handler: Handler<unknown> | BatchHandler<unknown>,
    maxHoldMs: number,
  ) {
    this.#topic = topic;
    this.#group = group;
    this.#handler = handler;
    this.#maxHoldMs = maxHoldMs;
  }

  /** Without a promise where neither schema nor handler makes one: that is the fast path. */
  one(work: Work): Result | Promise<Result> {
    if (work.record.givenUp !== undefined) return givenUp(work.record.givenUp);
    let value: unknown;
    try {
      value = this.#decode(work);
    } catch (error) {
      return unreadable(error);
    }
    if (value instanceof Promise) return value.then((later) => this.#call(work, later), unreadable);
    return this.#call(work, value);
  }

  /** One result per work. What cannot be decoded, or was given up, is so alone and does not reach the handler. */
  async many(works: readonly Work[]): Promise<Result[]> {
    const results = new Array<Result>(works.length);
    const decoded = await Promise.allSettled(works.map(async (work) => this.#decode(work)));
    const indices: number[] = [];
    const deliveries: CoreDelivery[] = [];
    for (const [i, value] of decoded.entries()) {
      const { givenUp: why } = (works[i] as Work).record;
      if (why !== undefined) results[i] = givenUp(why);
      else if (value.status === 'rejected') results[i] = unreadable(value.reason);
      else {
        indices.push(i);
        deliveries.push(this.#deliver(works[i] as Work, value.value));
      }
    }
    const outcomes = deliveries.length === 0 ? [] : await this.#callBatch(deliveries);
    for (const [n, i] of indices.entries()) results[i] = outcomes[n] as Result;
    return results;
  }

  #call(work: Work, value: unknown): Result | Promise<Result> {
    try {
      const outcome = (this.#handler as Handler<unknown>)(this.#deliver(work, value));
      if (!isPromise(outcome)) return toResult(outcome, this.#maxHoldMs);
      return outcome.then((later) => toResult(later, this.#maxHoldMs)).catch(failed);
    } catch (error) {
      return failed(error);
    }
  }

  async #callBatch(deliveries: readonly CoreDelivery[]): Promise<Result[]> {
    try {
      const outcomes = await (this.#handler as BatchHandler<unknown>)(deliveries);
      if (outcomes === undefined) return deliveries.map(() => ACKED);
      if (Array.isArray(outcomes) && outcomes.length === deliveries.length)
        return outcomes.map((outcome) => toResult(outcome, this.#maxHoldMs));
      throw invalidArgument(`A batch handler must return nothing or one outcome per delivery (${deliveries.length}).`);
    } catch (error) {
      return deliveries.map(() => failed(error));
    }
  }

  #decode(work: Work): unknown {
    const value = decodeWith(this.#topic.codec, work.record.body, this.#topic.spec.name);
    return validate(this.#topic.schema, value, this.#topic.spec.name);
  }

  #deliver(work: Work, value: unknown): CoreDelivery {
    const delivery = new CoreDelivery(work, value, this.#topic, this.#group);
    work.delivery = delivery;
    return delivery;
  }
}

function isPromise(value: unknown): value is Promise<void | Outcome> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';
}
