import { connect } from 'node:net';

/** Request codes of RocketMQ's remoting protocol. */
const DELETE_GROUP = 207;
const DELETE_TOPIC_IN_BROKER = 215;
const DELETE_TOPIC_IN_NAME_SERVER = 216;
const NAME_SERVER_PORT = 9876;
const BROKER_PORT = 10911;
const TIMEOUT_MS = 3_000;

/** The client library cannot delete. For a broker on this machine at its usual ports; what is not there is no fault. */
export async function removeTopicAndGroup(
  connection: Readonly<Record<string, string | readonly string[]>>,
  topic: string,
  group: string,
): Promise<void> {
  const [host = ''] = (connection.endpoints as string).split(':');
  await ask(host, BROKER_PORT, DELETE_GROUP, { groupName: group, cleanOffset: 'true' });
  await ask(host, BROKER_PORT, DELETE_TOPIC_IN_BROKER, { topic });
  await ask(host, NAME_SERVER_PORT, DELETE_TOPIC_IN_NAME_SERVER, { topic });
}

/** One request of its own connection: lengths, JSON header. Resolves with the first answer. */
function ask(host: string, port: number, code: number, extFields: Record<string, string>): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`RocketMQ did not answer on port ${port}`)));
    socket.once('error', reject).once('data', () => {
      socket.destroy();
      resolve();
    });
    const fields = { code, language: 'OTHER', version: 475, opaque: 1, flag: 0, serializeTypeCurrentRPC: 'JSON' };
    const header = Buffer.from(JSON.stringify({ ...fields, extFields }));
    const prefix = Buffer.alloc(8);
    prefix.writeUInt32BE(4 + header.length, 0);
    prefix.writeUInt32BE(header.length, 4);
    socket.write(Buffer.concat([prefix, header]));
  });
}
