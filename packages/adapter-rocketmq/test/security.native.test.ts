import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authority, type Certificate, type PrivateBroker, startImpostor, startPrivate } from '@anymq/brokers';
import { roundTrip } from '@anymq/contract-kit';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type RocketmqOptions, rocketmq } from '../src/index.js';
import { remote } from './support/remote.js';

jest.setTimeout(120_000);

const namespace = 'secure';
const ADMIN = { username: 'admin', password: 'admin-secret' };
const USER = { accessKey: 'alice', secretKey: 'alice-secret' };
const REFUSED = { code: 'UNAVAILABLE', retryable: false };
const UNAUTHORISED = { code: 'UNAUTHORISED', retryable: false };
const CODE = { createUser: 3001, updateUser: 3002, createAcl: 3006 };
const folder = join(tmpdir(), `anymq-certificates-${randomUUID()}`);

let broker: PrivateBroker;
let [authority, stranger]: Authority[] = [];

const ca = (): string => authority?.ca ?? '';
const admin = (): RocketmqOptions => ({
  ...(broker.connection as unknown as RocketmqOptions),
  accessKey: ADMIN.username,
  secretKey: ADMIN.password,
});
/** By name, because the certificate has one. */
const secure = (): RocketmqOptions => ({ ...admin(), endpoints: admin().endpoints.replace('127.0.0.1', 'localhost') });
const use = (options: RocketmqOptions, topic = `t-${randomUUID().slice(0, 8)}`) =>
  roundTrip(rocketmq(options), namespace, topic);

const ask = (code: number, fields: Record<string, string>, body: unknown) =>
  remote(broker.endpoints.broker ?? '', admin(), (remoting) => remoting.call(code, fields, body));
const user = (code: number, password: string) =>
  ask(code, { username: USER.accessKey }, { username: USER.accessKey, password, userType: 'Normal' });

beforeAll(async () => {
  authority = await Authority.make(join(folder, 'ours'));
  stranger = await Authority.make(join(folder, 'theirs'));
  const server = await authority.sign('server', 'DNS:localhost,IP:127.0.0.1');
  broker = await startPrivate('rocketmq', { credentials: ADMIN, tls: { ca: authority.ca, ...server } });
});

afterAll(async () => {
  await broker?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('TLS', () => {
  test('works with the right authority', async () => {
    await use({ ...secure(), tls: { ca: ca() } });
  });

  test('an unknown authority is refused', async () => {
    await expect(use({ ...secure(), tls: { ca: stranger?.ca ?? '' } })).rejects.toMatchObject(REFUSED);
  });

  test.each([
    ['another host', 'other', 'DNS:other.test', 30],
    ['a time that is over', 'expired', 'DNS:localhost', -1],
  ])('a certificate for %s is refused, and nothing is told in the clear', async (_, name, hosts, days) => {
    const impostor = await startImpostor((await authority?.sign(name, hosts, days)) as Certificate);
    const options = { ...secure(), endpoints: impostor.address, tls: { ca: ca() } };
    await expect(use(options)).rejects.toMatchObject(REFUSED);
    expect(impostor.tried).toBeGreaterThan(0);
    expect([impostor.plain, impostor.believed]).toEqual([[], 0]);
    await impostor.close();
  });
});

describe('users', () => {
  const as = (secretKey: string | (() => string)): RocketmqOptions => ({
    ...admin(),
    accessKey: USER.accessKey,
    secretKey,
    topology: 'check',
  });

  beforeAll(async () => {
    await use(admin(), 'given');
    await user(CODE.createUser, USER.secretKey);
    const allow = (resource: string, ...actions: string[]) => ({ resource, actions, sourceIps: [], decision: 'Allow' });
    const entries = [allow('Topic:secure_given', 'Pub', 'Sub', 'Get'), allow('Group:secure_g%given', 'Sub', 'Get')];
    const subject = `User:${USER.accessKey}`;
    await ask(CODE.createAcl, { subject }, { subject, policies: [{ policyType: 'Custom', entries }] });
  });

  test('no credentials, an unknown key and a wrong secret are UNAUTHORISED', async () => {
    await expect(use(broker.connection as unknown as RocketmqOptions)).rejects.toMatchObject(UNAUTHORISED);
    await expect(use({ ...admin(), accessKey: 'nobody' })).rejects.toMatchObject(UNAUTHORISED);
    await expect(use({ ...admin(), secretKey: 'wr0ng' })).rejects.toMatchObject(UNAUTHORISED);
  });

  test('a user who may create nothing uses what stands', async () => {
    await use(as(USER.secretKey), 'given');
    await expect(use(as(USER.secretKey), 'other')).rejects.toMatchObject(UNAUTHORISED);
    await expect(use({ ...as(USER.secretKey), topology: 'create' }, 'other')).rejects.toMatchObject(UNAUTHORISED);
  });

  test('a secret that was rotated is used from then on', async () => {
    let secret = USER.secretKey;
    const rotating = as(() => secret);
    await use(rotating, 'given');
    await user(CODE.updateUser, 'rotated');
    await expect(use(rotating, 'given')).rejects.toMatchObject(UNAUTHORISED);
    secret = 'rotated';
    await use(rotating, 'given');
  });
});
