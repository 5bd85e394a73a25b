import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authority, type Certificate, type PrivateBroker, startImpostor, startPrivate } from '@anymq/brokers';
import { roundTrip } from '@anymq/contract-kit';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type RabbitmqOptions, rabbitmq } from '../src/index.js';

jest.setTimeout(120_000);

const namespace = 'secure';
const USER = { username: 'alice', password: 'alice-secret' };
const REFUSED = { code: 'UNAVAILABLE', retryable: false };
/** What the README says that a consumer needs to declare of its own. */
const OWN = '^secure\\.given:g:(member-.*|notes)$';
const folder = join(tmpdir(), `anymq-certificates-${randomUUID()}`);

let broker: PrivateBroker;
let [authority, stranger]: Authority[] = [];
let client: Certificate;

const ca = (): string => authority?.ca ?? '';
const secureUrl = (): string => `amqps://localhost:${broker.endpoints.tls?.split(':')[1]}`;
const plainUrl = (): string => String(broker.connection.url);
const use = (options: RabbitmqOptions, topic = `t-${randomUUID().slice(0, 8)}`) =>
  roundTrip(rabbitmq({ buckets: 2, ...options }), namespace, topic);
const ctl = (...args: string[]): Promise<string> => broker.tool('rabbitmqctl', ...args);

beforeAll(async () => {
  authority = await Authority.make(join(folder, 'ours'));
  stranger = await Authority.make(join(folder, 'theirs'));
  const server = await authority.sign('server', 'DNS:localhost,IP:127.0.0.1');
  client = await authority.sign('robot', 'DNS:robot');
  broker = await startPrivate('rabbitmq', { tls: { ca: authority.ca, ...server } });
  await use({ url: plainUrl() }, 'given');
  await ctl('add_user', 'robot', 'unused');
  await ctl('set_permissions', 'robot', '.*', '.*', '.*');
  await ctl('add_user', USER.username, USER.password);
  await ctl('set_permissions', USER.username, OWN, '^secure\\.given', '^secure\\.given');
});

afterAll(async () => {
  await broker?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('TLS', () => {
  test('works with the right authority, and a client certificate is a user', async () => {
    await use({ url: secureUrl(), tls: { ca: ca() } });
    await use({ url: secureUrl(), mechanism: 'external', tls: { ca: ca(), ...client } });
  });

  test('an unknown authority, of the broker or of the client, is refused', async () => {
    await expect(use({ url: secureUrl(), tls: { ca: stranger?.ca } })).rejects.toMatchObject(REFUSED);
    const other = (await stranger?.sign('robot', 'DNS:robot')) as Certificate;
    const wrong = use({ url: secureUrl(), mechanism: 'external', tls: { ca: ca(), ...other } });
    await expect(wrong).rejects.toMatchObject(REFUSED);
  });

  test('a listener without TLS is refused, not used', async () => {
    const url = plainUrl().replace('amqp:', 'amqps:');
    await expect(use({ url, tls: { ca: ca() } })).rejects.toMatchObject(REFUSED);
  });

  test.each([
    ['another host', 'other', 'DNS:other.test', 30],
    ['a time that is over', 'expired', 'DNS:localhost', -1],
  ])('a certificate for %s is refused, and nothing is told in the clear', async (_, name, hosts, days) => {
    const impostor = await startImpostor((await authority?.sign(name, hosts, days)) as Certificate);
    const url = `amqps://${impostor.address}`;
    await expect(use({ url, tls: { ca: ca() }, ...USER })).rejects.toMatchObject(REFUSED);
    expect(impostor.tried).toBeGreaterThan(0);
    expect([impostor.plain, impostor.believed]).toEqual([[], 0]);
    await impostor.close();
  });
});

describe('users', () => {
  const as = (password: string | (() => Promise<string>)): RabbitmqOptions => ({
    url: plainUrl(),
    username: USER.username,
    password,
    topology: 'check',
  });

  test('a user who may declare nothing but its own uses what stands', async () => {
    await use(as(USER.password), 'given');
    await expect(use(as(USER.password), 'other')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('where it may not create, creating is UNAUTHORISED', async () => {
    const creating = use({ ...as(USER.password), topology: 'create' }, 'other');
    await expect(creating).rejects.toMatchObject({ code: 'UNAUTHORISED' });
  });

  test('a password that was rotated is used by the next connection', async () => {
    let password = USER.password;
    const rotating = as(async () => password);
    await use(rotating, 'given');
    await ctl('change_password', USER.username, 'rotated');
    await expect(use(rotating, 'given')).rejects.toMatchObject({ code: 'UNAUTHORISED', retryable: false });
    password = 'rotated';
    await use(rotating, 'given');
  });
});
