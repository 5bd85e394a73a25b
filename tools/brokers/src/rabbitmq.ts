import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { basename, join } from 'node:path';
import { type ChannelModel, connect } from 'amqplib';
import { MissingTool } from './errors.js';
import type { BrokerTls, Kind, Place } from './kind.js';
import { runCommand } from './process.js';

const TITLE = 'RabbitMQ';
const DEBIAN_LIB = '/usr/lib/rabbitmq/lib';
const TIMEOUT_MS = 3_000;
/**
 * A quorum queue takes up to three file handles in the broker's own count, a stream more. Out of them it takes every request and
 * answers none. Shells give 1,024, which 300 queues use up: a node of ours takes what it may have, up to what it can use.
 */
const MORE_FILES =
  'limit=$(ulimit -H -n); [ "$limit" = unlimited ] || [ "$limit" -gt 65536 ] && limit=65536; ulimit -n "$limit"';

/** Debian's RabbitMQ, one node, no plugin. */
export const rabbitmq: Kind = {
  name: 'rabbitmq',
  title: TITLE,
  ports: { client: 5672, distribution: 25_672 },
  processes: ['broker'],
  logs: [],

  version: () => `${TITLE} ${serverVersion()}`,

  async requirements() {
    serverScript();
  },

  async prepare({ folder, ports, tls }) {
    for (const name of ['data', 'log', 'home']) mkdirSync(join(folder, name), { recursive: true });
    // It takes the user from a client certificate.
    writeFileSync(join(folder, 'enabled_plugins'), tls === undefined ? '[].\n' : '[rabbitmq_auth_mechanism_ssl].\n');
    writeFileSync(
      join(folder, 'rabbitmq.conf'),
      `loopback_users.guest = true\n${tls === undefined ? '' : secure(tls, ports.tls ?? 0)}`,
    );
    const cookie = join(folder, 'home', '.erlang.cookie');
    if (!existsSync(cookie)) writeFileSync(cookie, 'ANYMQLOCALBROKERS', { mode: 0o400 });
    // Erlang refuses a cookie that others may read.
    chmodSync(cookie, 0o400);
  },

  programs: (place) => [
    {
      name: 'broker',
      command: '/bin/sh',
      // Erlang does not know this flag: it is how we know our process, by its folder.
      args: ['-c', `${MORE_FILES}; exec "$0" "$@"`, serverScript(), '-anymq', place.folder],
      env: rabbitmqEnvironment(place),
    },
  ],

  async answers({ client }) {
    try {
      const connection = await connect(`amqp://guest:guest@127.0.0.1:${client}?heartbeat=10`, { timeout: TIMEOUT_MS });
      connection.on('error', () => {});
      const patience = setTimeout(() => cut(connection), TIMEOUT_MS);
      await declareQueue(connection).finally(() => clearTimeout(patience));
      return true;
    } catch {
      return false;
    }
  },

  connection: ({ client }) => ({ url: `amqp://127.0.0.1:${client}` }),

  tool: (place, program, args) => runCommand(script(program), ['-q', ...args], rabbitmqEnvironment(place)),
};

const secure = ({ ca, cert, key }: BrokerTls, port: number): string =>
  [
    `listeners.ssl.1 = 127.0.0.1:${port}`,
    `ssl_options.cacertfile = ${ca}`,
    `ssl_options.certfile = ${cert}`,
    `ssl_options.keyfile = ${key}`,
    'ssl_options.verify = verify_peer',
    'ssl_options.fail_if_no_peer_cert = false',
    'auth_mechanisms.1 = PLAIN',
    'auth_mechanisms.2 = EXTERNAL',
    'ssl_cert_login_from = common_name',
    '',
  ].join('\n');

async function declareQueue(connection: ChannelModel): Promise<void> {
  const channel = await connection.createChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.deleteQueue(queue);
  await connection.close();
}

/** A node that hangs answers the handshake and nothing else; amqplib would wait for ever, and close() with it. */
function cut(connection: ChannelModel): void {
  const { stream } = (connection as unknown as { connection: { stream: Socket } }).connection;
  stream.destroy(new Error('No answer'));
}

/** The wrapper on the PATH switches to the user `rabbitmq`, who cannot write our folders: this is the script behind it. */
function serverScript(): string {
  return script('rabbitmq-server');
}

function script(name: string): string {
  const versions = existsSync(DEBIAN_LIB)
    ? readdirSync(DEBIAN_LIB).filter((name) => name.startsWith('rabbitmq_server-'))
    : [];
  const version = versions.sort().at(-1);
  if (version === undefined)
    throw new MissingTool(`${TITLE} cannot start: Debian's package rabbitmq-server is not installed.`);
  return join(DEBIAN_LIB, version, 'sbin', name);
}

/** The folder says it: `rabbitmq_server-3.10.8`. */
const serverVersion = (): string => serverScript().split('rabbitmq_server-')[1]?.split('/')[0] ?? 'unknown';

/** Environment of a node at a place: nothing of the machine's own node, not its configuration, not its data. */
export function rabbitmqEnvironment({ folder, ports }: Place): Record<string, string> {
  return {
    HOME: join(folder, 'home'),
    RABBITMQ_NODENAME: `anymq-${basename(folder)}-${ports.client}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    // Who reaches the distribution port and knows the cookie owns the node: neither it nor Erlang's port mapper is for others.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(ports.client),
    RABBITMQ_DIST_PORT: String(ports.distribution),
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_CONFIG_FILES: join(folder, 'conf.d'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, 'advanced.config'),
    RABBITMQ_CONF_ENV_FILE: join(folder, 'rabbitmq-env.conf'),
    // The script becomes the node instead of its parent: one pid from the first moment on.
    RUNNING_UNDER_SYSTEMD: 'true',
  };
}
