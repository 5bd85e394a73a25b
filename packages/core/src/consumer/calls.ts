import { decodeWith } from '../codec.js';
import { invalidArgument } from '../errors.js';
import type { BatchHandler, Handler, Outcome } from '../message.js';
import { validate } from '../schema.js';
import type { TopicDefinition } from '../topic.js';
import { CoreDelivery } from './delivery.js';
import type { Work } from './work.js';

/** What became of one message in a handler call. */
export type Result = { readonly kind: 'ack' } | { readonly kind: 'failed'; readonly error: unknown };

const ACKED: Result = Object.freeze({ kind: 'ack' });
const failed = (error: unknown): Result => ({ kind: 'failed', error });

/** Decodes, validates and calls the user's handler. Nothing here throws or rejects. */
export class Calls {
  readonly #topic: TopicDefinition;
  readonly #group: string;
  readonly #handler: Handler<unknown> | BatchHandler<unknown>;

  constructor(topic: TopicDefinition, group: string, handler: Handler<unknown> | BatchHandler<unknown>) {
    this.#topic = topic;
    this.#group = group;
    this.#handler = handler;
  }

  /** Without a promise where neither schema nor handler makes one: that is the fast path. */
  one(work: Work): Result | Promise<Result> {
    try {
      const value = this.#decode(work);
      if (value instanceof Promise) return this.#oneLater(work, value);
      const outcome = (this.#handler as Handler<unknown>)(this.#deliver(work, value));
      return isPromise(outcome) ? outcome.then(toResult).catch(failed) : toResult(outcome);
    } catch (error) {
      return failed(error);
    }
  }

  /** One result per work. What cannot be decoded fails alone and does not reach the handler. */
  async many(works: readonly Work[]): Promise<Result[]> {
    const results = new Array<Result>(works.length);
    const decoded = await Promise.allSettled(works.map(async (work) => this.#decode(work)));
    const indices: number[] = [];
    const deliveries: CoreDelivery[] = [];
    for (const [i, value] of decoded.entries()) {
      if (value.status === 'rejected') results[i] = failed(value.reason);
      else {
        indices.push(i);
        deliveries.push(this.#deliver(works[i] as Work, value.value));
      }
    }
    const outcomes = deliveries.length === 0 ? [] : await this.#callBatch(deliveries);
    for (const [n, i] of indices.entries()) results[i] = outcomes[n] as Result;
    return results;
  }

  async #oneLater(work: Work, value: Promise<unknown>): Promise<Result> {
    try {
      return toResult(await (this.#handler as Handler<unknown>)(this.#deliver(work, await value)));
    } catch (error) {
      return failed(error);
    }
  }

  async #callBatch(deliveries: readonly CoreDelivery[]): Promise<Result[]> {
    try {
      const outcomes = await (this.#handler as BatchHandler<unknown>)(deliveries);
      if (outcomes === undefined) return deliveries.map(() => ACKED);
      if (Array.isArray(outcomes) && outcomes.length === deliveries.length) return outcomes.map(toResult);
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

function toResult(outcome: void | Outcome): Result {
  if (outcome === undefined || outcome === null || outcome.kind === 'ack') return ACKED;
  if (outcome.kind === 'retry') return failed(outcome.reason);
  return failed(invalidArgument(`A handler returned ${JSON.stringify(outcome)}. Return nothing, ack() or retry().`));
}

function isPromise(value: unknown): value is Promise<void | Outcome> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';
}
