/** A sentence for the person at the terminal: no stack is shown. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
}

/** The person pressed Ctrl-C. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** Rejects with the signal's reason once it is aborted; never settles otherwise. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
