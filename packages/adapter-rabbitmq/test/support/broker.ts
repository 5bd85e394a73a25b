import amqplib, { type Channel, type ChannelModel } from 'amqplib';
import { groupNames, registryOf, type TopicNames, topicNames } from '../../src/names.js';
import { URL } from './runtime.js';

/** A plain client, as any other program would use. */
export async function plainClient(
  url = URL,
): Promise<{ connection: ChannelModel; channel: Channel; close(): Promise<void> }> {
  const connection = await amqplib.connect(url);
  connection.on('error', () => {});
  const channel = await connection.createChannel();
  return { connection, channel, close: () => connection.close() };
}

/** Deletes all that a topic and its groups have on the broker. */
export async function removeTopic(
  namespace: string,
  topic: string,
  groups: readonly string[],
  buckets = 16,
): Promise<void> {
  const client = await plainClient();
  for (const history of ['full', 'none'] as const) {
    const shapes = [true, false].map((keyed) => topicNames(namespace, topic, { buckets, history, keyed }));
    const [names] = shapes as [TopicNames];
    for (const { rest } of shapes) await client.channel.deleteExchange(rest);
    for (const group of groups) await removeGroup(client.channel, names.entry, group, buckets);
    for (const exchange of [names.entry, names.control]) await client.channel.deleteExchange(exchange);
    await client.channel.deleteQueue(names.history);
  }
  await client.channel.deleteQueue(registryOf(namespace));
  await client.channel.deleteExchange(registryOf(namespace));
  await client.close();
}

async function removeGroup(channel: Channel, entry: string, group: string, buckets: number): Promise<void> {
  const names = groupNames(entry, group);
  for (let bucket = 0; bucket < buckets; bucket += 1) {
    await channel.deleteQueue(names.bucket(bucket));
    await channel.deleteQueue(names.past(bucket));
  }
  for (const queue of [names.givenUp, names.charter, names.notes]) await channel.deleteQueue(queue);
  for (const exchange of [names.ready, names.pasts]) await channel.deleteExchange(exchange);
}
