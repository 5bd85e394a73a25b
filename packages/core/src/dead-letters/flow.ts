import { orStopped } from '../system/ask.js';
import type { Pacer } from './pacer.js';

/** Letters that may be under way at once: what an interruption leaves uncertain. */
const MOST = 64;

interface FlowOptions {
  readonly stop: AbortSignal;
  readonly pacer?: Pacer;
}

/**
 * Does `work` for each item, begun in order, 64 at a time. At the first failure, or when `stop` is aborted, nothing more is begun;
 * it rejects with that when what is under way has ended.
 */
export async function flow<T>(
  items: Iterable<T> | AsyncIterable<T>,
  work: (item: T) => Promise<void>,
  { stop, pacer }: FlowOptions,
): Promise<void> {
  const failure = new AbortController();
  const ended = AbortSignal.any([stop, failure.signal]);
  const running = new Set<Promise<void>>();
  const begin = (item: T): void => {
    const done = work(item)
      .catch((error: unknown) => failure.abort(error))
      .finally(() => running.delete(done));
    running.add(done);
  };
  try {
    for await (const item of untilStopped(items, ended)) {
      while (running.size >= MOST) await Promise.race(running);
      await pacer?.turn(ended);
      ended.throwIfAborted();
      begin(item);
    }
  } finally {
    await Promise.all(running);
  }
  failure.signal.throwIfAborted();
}

/** An iterable that has stopped answering is left behind. */
async function* untilStopped<T>(items: Iterable<T> | AsyncIterable<T>, stop: AbortSignal): AsyncIterable<T> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let done = false;
  try {
    for (;;) {
      const next = await orStopped(Promise.resolve(iterator.next()), stop);
      done = next.done === true;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    if (!done) void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}
