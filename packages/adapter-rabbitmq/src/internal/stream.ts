import type { Channel, ConsumeMessage } from '../client.js';
import { fault } from '../errors.js';
import { closeQuietly } from './channels.js';
import type { Link } from './link.js';

/** A stream delivers by chunks: this many unacknowledged messages keep it flowing. */
const PREFETCH = 500;

/** Says that a message and everything before it is dealt with: the broker may send more. */
export type Done = (message: ConsumeMessage) => void;

/** An open reader of a stream, from its first message on. */
export interface StreamReader {
  /** Resolves with the reason when no more comes. */
  readonly over: Promise<unknown>;
  close(): Promise<void>;
}

/** Reads a stream from its first message. Without {@link Done} at most 500 messages (and the rest of a chunk) come. */
export async function readStream(
  link: Link,
  stream: string,
  onMessage: (message: ConsumeMessage, done: Done) => void,
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
    await channel.prefetch(PREFETCH);
    await channel.consume(stream, (message) => (message === null ? void close() : onMessage(message, done)), {
      arguments: { 'x-stream-offset': 'first' },
    });
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
