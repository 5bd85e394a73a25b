import type { AdapterRuntime } from '@anymq/core/adapter';
import { closeQuietly, type Options } from '../client.js';
import { fault } from '../errors.js';
import { within } from './channels.js';
import { Confirms, stored } from './confirms.js';
import type { Link } from './link.js';

const CLOSE_TIMEOUT_MS = 2_000;

export interface PublishSettings {
  readonly runtime: AdapterRuntime;
  readonly publishing: Link;
  readonly confirmTimeoutMs: number;
}

/** One message of the adapter's own. */
export interface OwnMessage {
  readonly id: string;
  readonly content: Buffer;
  readonly properties: Options.Publish;
}

/** Publishes on a channel that lives for this only. Resolves when all is stored, rejects with what was not. */
export async function publishOwn(
  { runtime, publishing, confirmTimeoutMs }: PublishSettings,
  exchange: string,
  routingKey: string,
  messages: readonly OwnMessage[],
): Promise<void> {
  const channel = await publishing.confirmChannel();
  const unroutable = (id: string) =>
    ({ status: 'not-sent', error: fault('NOT_FOUND', `Exchange '${exchange}' has no queue for '${id}'.`) }) as const;
  const confirms = new Confirms(channel, { clock: runtime.clock, timeoutMs: confirmTimeoutMs, unroutable });
  const writing = confirms.write({
    count: messages.length,
    idOf: (index) => (messages[index] as OwnMessage).id,
    publish: (confirming, index) => {
      const { content, properties } = messages[index] as OwnMessage;
      return confirming.publish(exchange, routingKey, content, properties);
    },
  });
  try {
    await stored(writing);
  } finally {
    confirms.stop(fault('CLOSED', 'Everything is published.'));
    await within(runtime.clock, CLOSE_TIMEOUT_MS, closeQuietly(channel));
  }
}
