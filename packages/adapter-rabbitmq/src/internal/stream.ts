import { type Channel, type ConsumeMessage, closeQuietly } from '../client.js';
import { fault } from '../errors.js';
import type { Link } from './link.js';

/** A stream delivers by chunks: this many unacknowledged messages keep it flowing. */
const PREFETCH = 500;

/** Where reading begins, and how far it goes ahead of {@link Done}. */
export interface StreamStart {
  /** The first message, the first that comes, or the number of one. @default 'first' */
  readonly offset?: 'first' | 'next' | number;
  /** Messages without {@link Done}; the rest of a chunk comes too. @default 500 */
  readonly prefetch?: number;
}

/** Says that a message and everything before it is dealt with: the broker may send more. */
export type Done = (message: ConsumeMessage) => void;

/** An open reader of a stream. */
export interface StreamReader {
  /** Resolves with the reason when no more comes. */
  readonly over: Promise<unknown>;
  close(): Promise<void>;
}

/** Reads a stream. With `next` everything is read that is stored after this resolved. */
export async function readStream(
  link: Link,
  stream: string,
  onMessage: (message: ConsumeMessage, done: Done) => void,
  { offset = 'first', prefetch = PREFETCH }: StreamStart = {},
): Promise<StreamReader> {
  const channel = await link.channel();
  const over = new Promise<unknown>((resolve) => {
    let reason: unknown;
    channel.on('error', (error) => {
      reason = error;
    });
    channel.on('close', () => resolve(reason ?? fault('UNAVAILABLE', `The reader of '${stream}' was closed.`)));
  });
  const close = (): Promise<void> => closeQuietly(channel);
  const done: Done = (message) => ackUpTo(channel, message);
  try {
    await channel.prefetch(prefetch);
    await channel.consume(stream, (message) => (message === null ? void close() : onMessage(message, done)), {
      arguments: { 'x-stream-offset': offset },
    });
    // The broker confirms the consumer before it looks up where `next` is; this it answers behind that.
    if (offset === 'next') await channel.prefetch(prefetch);
  } catch (error) {
    await close();
    throw error;
  }
  return { over, close };
}

function ackUpTo(channel: Channel, message: ConsumeMessage): void {
  try {
    channel.ack(message, true);
  } catch {
    // The channel is gone; its reader hears of it.
  }
}

/** The number of a message in its stream. */
export function offsetOf({ properties }: ConsumeMessage): number {
  return Number(properties.headers?.['x-stream-offset']);
}
