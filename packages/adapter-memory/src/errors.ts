import type { Classification, ErrorCode } from '@anymq/core/adapter';

/** Why the broker refuses, as a test asked it to ({@link MemoryBroker.setAvailability}). */
export type Refusal = 'unavailable' | 'unauthorised' | 'full' | 'missing' | 'stopped';

/** The engine's own error, as a client library would throw it. */
export class MemoryFault extends Error {
  override readonly name = 'MemoryFault';
  readonly refusal: Refusal;

  constructor(refusal: Refusal, message: string) {
    super(message);
    this.refusal = refusal;
  }
}

const TABLE: Readonly<Record<Refusal, ErrorCode>> = {
  unavailable: 'UNAVAILABLE',
  full: 'UNAVAILABLE',
  unauthorised: 'UNAUTHORISED',
  missing: 'NOT_FOUND',
  stopped: 'CLOSED',
};

/** `INTERNAL` for anything that the engine did not throw. */
export function classify(error: unknown): Classification {
  if (!(error instanceof MemoryFault)) return { code: 'INTERNAL', retryable: false };
  const code = TABLE[error.refusal];
  return { code, retryable: code === 'UNAVAILABLE' };
}
