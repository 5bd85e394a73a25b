import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { classPath, ensureJars, jarVersion, requireJars } from './jars.js';
import { requireJava, SMALL_JVM } from './java.js';
import type { BrokerTls, Credentials, Kind, Place } from './kind.js';
import type { Ports } from './ports.js';
import { runCommand } from './process.js';
import { properties } from './properties.js';

const TITLE = 'Kafka';
/** Any 16 bytes in base 64, not beginning with a hyphen. */
const CLUSTER_ID = 'QW55TVEtdGVzdC1jbHVzdA';
const LOGGING = [
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
  '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info',
];

/** Kafka 4.1, one KRaft node. */
export const kafka: Kind = {
  name: 'kafka',
  title: TITLE,
  ports: { client: 9092, controller: 9093 },
  processes: ['broker'],
  logs: [],

  version: (place) => `${TITLE} ${jarVersion(place, 'kafka', 'kafka_2.13')}`,

  async requirements(place) {
    await requireJava(TITLE);
    await requireJars(place, 'kafka', TITLE);
  },

  async prepare(place) {
    await ensureJars(place, 'kafka', TITLE);
    mkdirSync(place.folder, { recursive: true });
    writeFileSync(configFile(place), kafkaProperties(place));
    if (!existsSync(join(dataFolder(place), 'meta.properties'))) await format(place);
  },

  programs: (place) => [
    {
      name: 'broker',
      command: 'java',
      args: [
        ...[...SMALL_JVM, ...LOGGING, '-Xms256m', '-Xmx512m', `-Danymq.folder=${place.folder}`],
        ...['-cp', classPath(place, 'kafka'), 'kafka.Kafka', configFile(place)],
      ],
    },
  ],

  async answers(ports) {
    const admin = client(ports).admin();
    try {
      await admin.connect();
      return (await admin.describeCluster()).brokers.length > 0;
    } catch {
      return false;
    } finally {
      await admin.disconnect().catch(() => {});
    }
  },

  warmUp,
  connection: ({ client: port }) => ({ brokers: [`127.0.0.1:${port}`] }),

  tool: (place, main, args) =>
    runCommand('java', [
      ...SMALL_JVM,
      ...LOGGING,
      '-cp',
      classPath(place, 'kafka'),
      main,
      ...bootstrap(place),
      ...args,
    ]),
};

const bootstrap = ({ ports }: Place): string[] => ['--bootstrap-server', `127.0.0.1:${ports.client}`];
const configFile = ({ folder }: Place): string => join(folder, 'server.properties');
const dataFolder = ({ folder }: Place): string => join(folder, 'data');

async function format(place: Place): Promise<void> {
  // What an interrupted format left would make the next one fail.
  rmSync(dataFolder(place), { recursive: true, force: true });
  const tool = ['-cp', classPath(place, 'kafka'), 'kafka.tools.StorageTool', 'format'];
  const users = place.credentials === undefined ? [] : scramUsers(place.credentials);
  await runCommand('java', [...SMALL_JVM, ...LOGGING, ...tool, '-t', CLUSTER_ID, '-c', configFile(place), ...users]);
}

const scramUsers = ({ username, password }: Credentials): string[] =>
  ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((name) => [
    '--add-scram',
    `${name}=[name=${username},password=${password}]`,
  ]);

function client({ client: port }: Ports, retries = 0): Kafka {
  return new Kafka({
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2_000,
    requestTimeout: 5_000,
    retry: { retries, initialRetryTime: 100, maxRetryTime: 500 },
  });
}

/** The first group and the first transaction create internal topics, which takes about two seconds and looks like a fault. */
async function warmUp(ports: Ports): Promise<boolean> {
  // Some calls find their coordinator only in a second try.
  const kafka = client(ports, 10);
  const admin = kafka.admin();
  const producer = kafka.producer({
    transactionalId: 'anymq-warm-up',
    maxInFlightRequests: 1,
    createPartitioner: () => () => 0,
  });
  try {
    await Promise.all([admin.connect(), producer.connect()]);
    await admin.fetchOffsets({ groupId: 'anymq-warm-up', topics: [] });
    await (await producer.transaction()).abort();
    return true;
  } catch {
    return false;
  } finally {
    await Promise.allSettled([producer.disconnect(), admin.disconnect()]);
  }
}

/** `server.properties` of a node at a place. */
export function kafkaProperties(place: Place): string {
  return properties({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${place.ports.controller}`,
    ...listeners(place),
    ...(place.tls === undefined ? {} : tlsProperties(place.tls, place.folder)),
    ...(place.credentials === undefined ? {} : saslProperties(place.credentials)),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': dataFolder(place),
    // Without these, groups and transactions of a single node fail with coordinator errors.
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.num.partitions': 4,
    'group.initial.rebalance.delay.ms': 0,
    'auto.create.topics.enable': false,
    'log.segment.bytes': 16 * 1024 * 1024,
    'log.retention.hours': 24,
  });
}

function listeners({ ports, advertised = [] }: Place): Record<string, string> {
  const own = [`PLAINTEXT://127.0.0.1:${ports.client}`];
  const proxied = advertised.map((_, at) => `PROXIED${at}://127.0.0.1:${ports[`behindProxy${at}`]}`);
  const plain = ['PLAINTEXT', 'CONTROLLER', ...advertised.map((_, at) => `PROXIED${at}`)];
  const more = [
    ['SASL', 'SASL_PLAINTEXT', ports.sasl],
    ['TLS', 'SSL', ports.tls],
    ['MUTUAL', 'SSL', ports.mutualTls],
  ] as const;
  // By name, because certificates carry one.
  for (const [name, , port] of more) if (port !== undefined) own.push(`${name}://localhost:${port}`);
  return {
    listeners: [...own, ...proxied, `CONTROLLER://127.0.0.1:${ports.controller}`].join(),
    'advertised.listeners': [...own, ...advertised.map((address, at) => `PROXIED${at}://${address}`)].join(),
    'listener.security.protocol.map': [
      ...plain.map((name) => `${name}:PLAINTEXT`),
      ...more.map(([name, protocol]) => `${name}:${protocol}`),
    ].join(),
  };
}

function tlsProperties({ ca, cert, key }: BrokerTls, folder: string): Record<string, string> {
  const store = join(folder, 'tls.pem');
  writeFileSync(store, `${readFileSync(key, 'utf8')}${readFileSync(cert, 'utf8')}`);
  return {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': store,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': ca,
    'listener.name.mutual.ssl.client.auth': 'required',
  };
}

/** Whoever comes without a name, or with a certificate of `admin`, is the administrator. */
function saslProperties({ username, password }: Credentials): Record<string, string> {
  const security = 'org.apache.kafka.common.security';
  const sasl = 'listener.name.sasl';
  const scram = `${security}.scram.ScramLoginModule required;`;
  return {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    [`${sasl}.plain.sasl.jaas.config`]: `${security}.plain.PlainLoginModule required user_${username}="${password}";`,
    [`${sasl}.scram-sha-256.sasl.jaas.config`]: scram,
    [`${sasl}.scram-sha-512.sasl.jaas.config`]: scram,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS;User:CN=admin',
  };
}
