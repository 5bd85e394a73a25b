import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Authority,
  type Certificate,
  type Impostor,
  type PrivateBroker,
  startImpostor,
  startPrivate,
} from '@anymq/brokers';
import { roundTrip } from '@anymq/contract-kit';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs';
import { type KafkaOptions, kafka } from '../src/index.js';
import { plainKafka } from './support/harness.js';

jest.setTimeout(120_000);

const namespace = 'secure';
const USER = { username: 'alice', password: 'alice-secret' };
const REFUSED = { code: 'UNAVAILABLE', retryable: false };
const folder = join(tmpdir(), `anymq-certificates-${randomUUID()}`);

let broker: PrivateBroker;
let [authority, stranger]: Authority[] = [];
let client: Certificate;

const ca = (): string => authority?.ca ?? '';
const port = (use: string): string => `localhost:${broker.endpoints[use]?.split(':')[1]}`;
const use = (options: KafkaOptions, topic = `t-${randomUUID().slice(0, 8)}`) =>
  roundTrip(kafka(options), namespace, topic);

beforeAll(async () => {
  authority = await Authority.make(join(folder, 'ours'));
  stranger = await Authority.make(join(folder, 'theirs'));
  const server = await authority.sign('server', 'DNS:localhost,IP:127.0.0.1');
  client = await authority.sign('admin', 'DNS:admin');
  broker = await startPrivate('kafka', { tls: { ca: authority.ca, ...server }, credentials: USER });
});

afterAll(async () => {
  await broker?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function allow(): Promise<void> {
  const admin = plainKafka(broker.connection.brokers as readonly string[]).admin();
  await admin.connect();
  const common = {
    principal: `User:${USER.username}`,
    host: '*',
    permissionType: AclPermissionTypes.ALLOW,
    resourcePatternType: ResourcePatternTypes.PREFIXED,
    resourceName: `${namespace}.given`,
  };
  await admin.createAcls({
    acl: [
      { ...common, resourceType: AclResourceTypes.TOPIC, operation: AclOperationTypes.READ },
      { ...common, resourceType: AclResourceTypes.TOPIC, operation: AclOperationTypes.WRITE },
      {
        ...common,
        resourceName: `${namespace}.g:given`,
        resourceType: AclResourceTypes.GROUP,
        operation: AclOperationTypes.READ,
      },
    ],
  });
  await admin.disconnect();
}

describe('TLS', () => {
  test('works with the right authority, and with a client certificate where one is asked for', async () => {
    await use({ brokers: [port('tls')], ssl: { ca: ca() } });
    await use({ brokers: [port('mutualTls')], ssl: { ca: ca(), ...client } });
  });

  test('a broker that asks for a client certificate refuses whoever has none', async () => {
    await expect(use({ brokers: [port('mutualTls')], ssl: { ca: ca() } })).rejects.toMatchObject(REFUSED);
  });

  test('an unknown authority is refused', async () => {
    await expect(use({ brokers: [port('tls')], ssl: { ca: stranger?.ca } })).rejects.toMatchObject(REFUSED);
  });

  test.each([
    ['another host', 'other', 'DNS:other.test', 30],
    ['a time that is over', 'expired', 'DNS:localhost', -1],
  ])('a certificate for %s is refused, and nothing is told in the clear', async (_, name, hosts, days) => {
    const impostor: Impostor = await startImpostor((await authority?.sign(name, hosts, days)) as Certificate);
    const sasl = { mechanism: 'plain', ...USER } as const;
    await expect(use({ brokers: [impostor.address], ssl: { ca: ca() }, sasl })).rejects.toMatchObject(REFUSED);
    expect(impostor.tried).toBeGreaterThan(0);
    expect([impostor.plain, impostor.believed]).toEqual([[], 0]);
    await impostor.close();
  });
});

describe('users', () => {
  const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
  const as = (mechanism: (typeof mechanisms)[number], password: string | (() => Promise<string>)): KafkaOptions => ({
    brokers: [port('sasl')],
    sasl: { mechanism, username: USER.username, password },
    topology: 'check',
  });

  beforeAll(async () => {
    await use({ brokers: broker.connection.brokers as readonly string[] }, 'given');
    await allow();
  });

  test.each(mechanisms)(
    '%s: the right password works with no more than the rights it needs, a wrong one is UNAUTHORISED',
    async (mechanism) => {
      await use(as(mechanism, USER.password), 'given');
      await expect(use(as(mechanism, 'wr0ng'), 'given')).rejects.toMatchObject({
        code: 'UNAUTHORISED',
        retryable: false,
      });
    },
  );

  test('what these rights do not reach is UNAUTHORISED', async () => {
    await expect(use(as('plain', USER.password), 'other')).rejects.toMatchObject({ code: 'UNAUTHORISED' });
  });

  test('a password that was rotated is used by the next connection', async () => {
    let password = USER.password;
    const rotating = as('scram-sha-256', async () => password);
    await use(rotating, 'given');
    await broker.tool(
      ...(['kafka.admin.ConfigCommand', '--alter', '--entity-type', 'users', '--entity-name', USER.username] as const),
      ...['--add-config', 'SCRAM-SHA-256=[password=rotated]'],
    );
    await expect(use(rotating, 'given')).rejects.toMatchObject({ code: 'UNAUTHORISED' });
    password = 'rotated';
    await use(rotating, 'given');
  });
});
