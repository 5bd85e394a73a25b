/** `promise`, or the signal's reason as soon as that is aborted; what `promise` becomes then, nobody hears. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let listener = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    listener = () => reject(signal.reason);
    signal.addEventListener('abort', listener);
    if (signal.aborted) listener();
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', listener);
  }
}

/** What `items` yields until the signal is aborted; then it throws the signal's reason, whatever `items` waits for. */
export async function* untilAborted<T>(items: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await orAborted(iterator.next(), signal);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Not awaited: a generator ends only after what it waits for, which may be a broker that does not answer.
    iterator.return?.()?.catch(() => {});
  }
}
