import type { NativeMessage, NativePeer } from '@anymq/contract-kit';
import type { ConsumeMessage } from 'amqplib';
import { bucketOf, MARKER } from '../../src/codec.js';
import { plainClient } from './broker.js';

/**
 * A program that uses the client library and knows of AnyMQ what the README says under "Mapping".
 *
 * @param deleteAll deletes the exchange of that name, and whatever begins with it and a colon
 */
export async function nativePeer(
  url: string,
  namespace: string,
  deleteAll: (name: string) => Promise<void>,
): Promise<NativePeer> {
  const { channel, close } = await plainClient(url);
  await channel.prefetch(100);
  return {
    async send(topic, { body, key, headers }) {
      const given = key === undefined ? headers : { ...headers, 'anymq-key': key };
      const route = key === undefined ? '' : String(bucketOf(key, 16));
      channel.publish(`${namespace}.${topic}`, route, Buffer.from(body), { headers: given, persistent: true });
      // An answer of the broker: it has dealt with what was published before.
      await channel.checkExchange(`${namespace}.${topic}`);
    },
    read: (topic, count) =>
      new Promise((resolve, reject) => {
        const messages: NativeMessage[] = [];
        const onMessage = (message: ConsumeMessage | null): void => {
          if (message === null || messages.length === count) return;
          channel.ack(message);
          if (message.properties.type !== MARKER) messages.push(native(message));
          if (messages.length === count) resolve(messages);
        };
        const first = { arguments: { 'x-stream-offset': 'first' } };
        channel.consume(`${namespace}.${topic}:history`, onMessage, first).catch(reject);
      }),
    deleteTopic: (topic) => deleteAll(`${namespace}.${topic}`),
    close,
  };
}

function native({ content, properties }: ConsumeMessage): NativeMessage {
  const { messageId, type, contentType, headers } = properties;
  const all = { 'message-id': messageId, type, 'content-type': contentType, ...headers };
  const text = Object.entries(all).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return { body: content, key: headers?.['anymq-key'], headers: Object.fromEntries(text) };
}
