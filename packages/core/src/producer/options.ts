import { integerIn, onlyKnown } from '../range.js';
import type { ProducerOptions } from './contract.js';

export const MIN_TIMEOUT_MS = 10;
export const MAX_TIMEOUT_MS = 3_600_000;

const KNOWN = ['sendTimeoutMs', 'maxBuffered', 'maxBufferedBytes'] as const;

/** Defaults and checks of {@link ProducerOptions}: here and nowhere else. */
export function producerOptions(options: ProducerOptions = {}): Required<ProducerOptions> {
  onlyKnown('producer()', options, KNOWN);
  return {
    sendTimeoutMs: integerIn('sendTimeoutMs', options.sendTimeoutMs, MIN_TIMEOUT_MS, MAX_TIMEOUT_MS, 30_000),
    maxBuffered: integerIn('maxBuffered', options.maxBuffered, 1, 1_000_000, 10_000),
    maxBufferedBytes: integerIn(
      'maxBufferedBytes',
      options.maxBufferedBytes,
      1_024,
      Number.MAX_SAFE_INTEGER,
      64 * 1024 * 1024,
    ),
  };
}
