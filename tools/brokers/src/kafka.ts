import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { classPath, ensureJars, requireJava, SMALL_JVM } from './java.js';
import type { Kind, Place } from './kind.js';
import type { Ports } from './ports.js';
import { runCommand } from './process.js';

const TITLE = 'Kafka';
/** Any 16 bytes in base 64, not beginning with a hyphen. */
const CLUSTER_ID = 'QW55TVEtdGVzdC1jbHVzdA';

/** Kafka 4.1, one KRaft node. */
export const kafka: Kind = {
  name: 'kafka',
  title: TITLE,
  ports: { client: 9092, controller: 9093 },
  requirements: () => requireJava(TITLE),

  async prepare(place) {
    await ensureJars('kafka', TITLE);
    mkdirSync(place.folder, { recursive: true });
    writeFileSync(configFile(place), properties(place));
    if (existsSync(join(place.folder, 'data', 'meta.properties'))) return;
    rmSync(join(place.folder, 'data'), { recursive: true, force: true });
    await runCommand('java', [
      '-cp',
      classPath('kafka'),
      'kafka.tools.StorageTool',
      'format',
      '-t',
      CLUSTER_ID,
      '-c',
      configFile(place),
    ]);
  },

  programs: (place) => [
    {
      name: 'broker',
      command: 'java',
      args: [
        ...SMALL_JVM,
        '-Xms256m',
        '-Xmx512m',
        `-Danymq.folder=${place.folder}`,
        '-cp',
        classPath('kafka'),
        'kafka.Kafka',
        configFile(place),
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
};

const configFile = ({ folder }: Place): string => join(folder, 'server.properties');

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

function properties({ folder, ports }: Place): string {
  const { client: port, controller } = ports;
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(folder, 'data'),
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
  })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
