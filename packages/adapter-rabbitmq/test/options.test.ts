import { describe, expect, test } from '@jest/globals';
import { adapter, rabbitmq } from '../src/index.js';
import { endpointsOf, parseOptions } from '../src/options.js';
import { testRuntime } from './support/runtime.js';

const problem = (options: object): string => {
  try {
    rabbitmq(options);
    return 'accepted';
  } catch (error) {
    expect(error).toMatchObject({ code: 'INVALID_CONFIG', adapter: 'rabbitmq' });
    return (error as Error).message;
  }
};

describe('options', () => {
  test('have the documented defaults', () => {
    expect(parseOptions({ url: 'amqp://localhost' })).toEqual({
      url: 'amqp://localhost',
      mechanism: 'plain',
      heartbeatSeconds: 20,
      topology: 'create',
      buckets: 16,
      confirmTimeoutMs: 10_000,
      historyMaxAgeDays: 7,
      maxPrefetch: 1_000,
    });
  });

  test.each([
    [{}, /url: is required/],
    [{ url: 'amqp://h', buckts: 3 }, /unknown option 'buckts', known are url/],
    [{ url: 'amqp://h', buckets: 0 }, /buckets: .*1.*found 0/],
    [{ url: 'amqp://h', buckets: 257 }, /buckets/],
    [{ url: 'amqp://h', confirmTimeoutMs: 50 }, /confirmTimeoutMs: .*1000.*found 50/],
    [{ url: 'amqp://h', urls: ['amqp://i'] }, /urls: is given together with url/],
    [{ url: 'http://h' }, /url: must be amqp/],
    [{ url: 'amqp://h?heartbeat=3' }, /without a query/],
    [{ url: 'amqp://h', tls: {} }, /tls: needs amqps/],
    [{ url: 'amqps://h', tls: { cert: 'x' } }, /cert and key/],
    [{ url: 'amqps://h', tls: { certificate: 'x' } }, /unknown option 'tls.certificate'/],
    [{ url: 'amqps://h', mechanism: 'external' }, /needs tls.cert/],
    [{ url: 'amqp://h', username: 'u' }, /password: is missing/],
    [{ url: 'amqp://u:p@h', username: 'u', password: 'p' }, /username: is given together/],
    [{ url: 'amqp://h/v', vhost: 'w' }, /vhost: is given together/],
  ])('%j is refused', (options, expected) => {
    expect(problem(options)).toMatch(expected);
  });

  test('never show a secret in their errors', () => {
    expect(problem({ url: 'amqp://user:s3cret@h?x=1' })).not.toContain('s3cret');
    expect(problem({ url: 'amqp://h', password: 's3cret' })).not.toContain('s3cret');
    expect(problem({ url: 'amqp://h', username: 5, password: 's3cret' })).not.toContain('s3cret');
  });

  test('say where and as whom to connect', () => {
    const [one] = endpointsOf(parseOptions({ url: 'amqps://us%40er:p%2Fw@[::1]:5000/my%2Fhost' }));
    expect(one).toEqual({
      protocol: 'amqps',
      host: '::1',
      port: 5000,
      username: 'us@er',
      password: 'p/w',
      vhost: 'my/host',
    });
    const [plain, tls] = endpointsOf(
      parseOptions({ urls: ['amqp://a', 'amqps://b'], username: 'u', password: 'p', vhost: 'v' }),
    );
    expect(plain).toMatchObject({ host: 'a', port: 5672, username: 'u', password: 'p', vhost: 'v' });
    expect(tls).toMatchObject({ host: 'b', port: 5671 });
    expect(endpointsOf(parseOptions({ url: 'amqp://a/' }))[0]).toMatchObject({
      username: 'guest',
      password: 'guest',
      vhost: '/',
    });
  });

  test('make an adapter that has done nothing yet', () => {
    const made = adapter
      .configure(parseOptions({ urls: ['amqp://u:s3cret@a/x', 'amqp://b'] }))
      .create(testRuntime('t'));
    expect(made.address).toBe('amqp://a:5672/x, amqp://b:5672');
    expect(() => made.native.publishConnection).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
  });
});
