import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { connect } from 'amqplib';
import type { Kind, Place } from './kind.js';
import { BrokerError } from './process.js';

const TITLE = 'RabbitMQ';
const DEBIAN_LIB = '/usr/lib/rabbitmq/lib';

/** Debian's RabbitMQ, one node, no plugin. */
export const rabbitmq: Kind = {
  name: 'rabbitmq',
  title: TITLE,
  ports: { client: 5672, distribution: 25_672 },

  async requirements() {
    serverScript();
  },

  async prepare({ folder }) {
    for (const name of ['data', 'log', 'home']) mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, 'enabled_plugins'), '[].\n');
    writeFileSync(join(folder, 'rabbitmq.conf'), 'loopback_users.guest = true\n');
    const cookie = join(folder, 'home', '.erlang.cookie');
    if (!existsSync(cookie)) writeFileSync(cookie, 'ANYMQLOCALBROKERS', { mode: 0o400 });
    // Erlang refuses a cookie that others may read.
    chmodSync(cookie, 0o400);
  },

  programs: (place) => [
    {
      name: 'broker',
      command: serverScript(),
      args: [],
      env: environment(place),
      pidFile: join(place.folder, 'rabbitmq.pid'),
    },
  ],

  async answers({ client }) {
    try {
      const connection = await connect(`amqp://guest:guest@127.0.0.1:${client}?heartbeat=10`, { timeout: 2_000 });
      connection.on('error', () => {});
      const channel = await connection.createChannel();
      const { queue } = await channel.assertQueue('', { exclusive: true });
      await channel.deleteQueue(queue);
      await connection.close();
      return true;
    } catch {
      return false;
    }
  },

  connection: ({ client }) => ({ url: `amqp://127.0.0.1:${client}` }),
};

/** The wrapper on the PATH switches to the user `rabbitmq`, who cannot write our folders: this is the script behind it. */
function serverScript(): string {
  const versions = existsSync(DEBIAN_LIB)
    ? readdirSync(DEBIAN_LIB).filter((name) => name.startsWith('rabbitmq_server-'))
    : [];
  const version = versions.sort().at(-1);
  if (version === undefined)
    throw new BrokerError(
      `${TITLE} does not run on port 5672, and Debian's package rabbitmq-server is not installed to start one.`,
    );
  return join(DEBIAN_LIB, version, 'sbin', 'rabbitmq-server');
}

function environment({ folder, ports }: Place): Record<string, string> {
  return {
    HOME: join(folder, 'home'),
    // The node's name stands in its command line, and with it the folder, by which we know our own process.
    RABBITMQ_NODENAME: `anymq-${basename(folder)}-${ports.client}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(ports.client),
    RABBITMQ_DIST_PORT: String(ports.distribution),
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_PID_FILE: join(folder, 'rabbitmq.pid'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
  };
}
