import { describe, expect, test } from '@jest/globals';
import { parseOptions } from '../src/options.js';

const ok = { endpoints: '127.0.0.1:8081' };

describe('options', () => {
  test('have the documented defaults', () => {
    expect(parseOptions(ok)).toEqual({
      endpoints: '127.0.0.1:8081',
      nameServers: ['127.0.0.1:9876'],
      tls: false,
      topology: 'create',
      queues: 8,
      concurrentSends: 64,
      leaseMs: 30_000,
      pollMs: 5_000,
      requestTimeoutMs: 5_000,
      useAdvertisedAddress: false,
    });
  });

  test.each([
    [{}, 'endpoints'],
    [{ endpoints: 'no-port' }, "endpoints: must be 'host:port'"],
    [{ endpoints: 'amqp://user:pw@host:1' }, 'endpoints'],
    [{ ...ok, nameServers: [] }, 'nameServers'],
    [{ ...ok, queues: 0 }, 'queues'],
    [{ ...ok, leaseMs: 9_999 }, 'found 9999'],
    [{ ...ok, pollMs: 499 }, 'found 499'],
    [{ ...ok, leaseMs: 30_000, pollMs: 15_001 }, 'leaseMs: must be at least twice pollMs, which is 15001'],
    [{ ...ok, topics: [] }, "unknown option 'topics'"],
    [{ ...ok, tls: { ca: 'x', pfx: 'y' } }, 'tls'],
    [{ ...ok, tls: { cert: 'x' } }, 'has only one of cert and key'],
    [{ ...ok, accessKey: 'a' }, 'secretKey: is missing'],
  ])('%j is refused by name', (options, problem) => {
    expect(() => parseOptions(options)).toThrow(
      expect.objectContaining({ code: 'INVALID_CONFIG', message: expect.stringContaining(problem) }),
    );
  });

  test('an error shows no secret', () => {
    const options = { ...ok, accessKey: 'key-in-clear', secretKey: 'secret-in-clear', queues: 'many' };
    expect(() => parseOptions(options)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('in-clear') }),
    );
  });
});
