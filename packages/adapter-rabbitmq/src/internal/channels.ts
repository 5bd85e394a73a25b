import type { Clock, Timer } from '@anymq/core/adapter';
import { type Channel, closeQuietly } from '../client.js';
import { fault, isNotFound } from '../errors.js';
import type { Link } from './link.js';

/** A broker that is out of file handles takes requests and never answers them. */
const ANSWER_TIMEOUT_MS = 30_000;
const CLOSE_TIMEOUT_MS = 2_000;

/** Requests that may close their channel (every refusal does) get one of their own. */
export async function withChannel<T>(link: Link, use: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = await link.channel();
  let late: Timer | undefined;
  const timeout = new Promise<never>((_, reject) => {
    const message = `RabbitMQ has not answered within ${ANSWER_TIMEOUT_MS} ms. See its log: it may be out of file handles, memory or disk.`;
    late = link.clock.setTimer(ANSWER_TIMEOUT_MS, () => reject(fault('UNAVAILABLE', message)));
  });
  try {
    return await Promise.race([use(channel), timeout]);
  } finally {
    late?.cancel();
    await within(link.clock, CLOSE_TIMEOUT_MS, closeQuietly(channel));
  }
}

/** Whether what `check` asks for exists. */
export async function exists(link: Link, check: (channel: Channel) => Promise<unknown>): Promise<boolean> {
  try {
    await withChannel(link, check);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** Resolves when `work` has ended, either way, or after `timeoutMs`. */
export async function within(clock: Clock, timeoutMs: number, work: Promise<unknown>): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = clock.setTimer(timeoutMs, resolve);
    const done = (): void => {
      timer.cancel();
      resolve();
    };
    work.then(done, done);
  });
}
