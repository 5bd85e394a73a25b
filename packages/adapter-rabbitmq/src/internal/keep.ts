import { type AdapterRuntime, type Backoff, messageOf, sleep } from '@anymq/core/adapter';
import type { Link } from './link.js';

/** What lived shorter goes on with the back-off that led to it. */
const STABLE_MS = 5_000;

/** Something that was opened on the broker. */
export interface Kept {
  /** Resolves when it has ended; never rejects. */
  readonly over: Promise<unknown>;
  /** It ended because this side wanted it: the next one needs no wait. Read when it is over. @default false */
  readonly voluntary?: boolean;
  /** Ends it, in good order. May be called when it has ended. Never rejects. */
  end(): Promise<void> | void;
}

export interface KeepSettings {
  readonly runtime: AdapterRuntime;
  readonly link: Link;
  /** What is opened, for the log. */
  readonly what: string;
  /** Ends the keeping, and what is open or being opened. */
  readonly signal: AbortSignal;
  open(): Promise<Kept>;
  /** Asked after a failure to open. True: there is no point in going on. */
  hopeless?(error: unknown): boolean;
}

/** Opens something again whenever it has ended. Resolves when `signal` is aborted and it is over, or it is hopeless. */
export async function keep(settings: KeepSettings, first: Kept): Promise<void> {
  const { runtime, signal } = settings;
  let current: Kept | undefined = first;
  let backoff: Backoff | undefined;
  for (;;) {
    const since = runtime.clock.monotonic();
    if (current !== undefined) await endOf(current, signal);
    if (signal.aborted) return;
    const voluntary = current?.voluntary === true;
    if (runtime.clock.monotonic() - since > STABLE_MS) backoff = undefined;
    current = undefined;
    backoff ??= runtime.backoff();
    try {
      if (!voluntary) await sleep(runtime.clock, backoff.next(), signal);
      await settings.link.up(signal);
      current = await settings.open();
    } catch (error) {
      if (signal.aborted || settings.hopeless?.(error)) return;
      runtime.log.debug(`${settings.what} cannot be opened yet: ${messageOf(error)}`);
    }
  }
}

/** Resolves when it is over, as it soon is when `signal` is aborted. */
async function endOf(kept: Kept, signal: AbortSignal): Promise<void> {
  const end = (): void => void kept.end();
  // It may have come while it was being opened.
  if (signal.aborted) end();
  else signal.addEventListener('abort', end);
  await kept.over;
  signal.removeEventListener('abort', end);
}
