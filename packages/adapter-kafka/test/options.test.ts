import { MessagingError } from '@anymq/core/adapter';
import { describe, expect, test } from '@jest/globals';
import { adapter, type KafkaOptions, kafka } from '../src/index.js';
import { parseOptions } from '../src/options.js';

const brokers = ['127.0.0.1:9092'];

function refusal(options: unknown): MessagingError {
  try {
    kafka(options as KafkaOptions);
  } catch (error) {
    return error as MessagingError;
  }
  throw new Error('accepted');
}

describe('options', () => {
  test('only the addresses are needed; everything else has a default', () => {
    expect(parseOptions({ brokers })).toEqual({
      brokers,
      clientId: 'anymq',
      ssl: false,
      partitions: 8,
      sessionTimeoutMs: 10_000,
      heartbeatIntervalMs: 500,
      rebalanceTimeoutMs: 30_000,
      maxWaitMs: 250,
      maxBytesPerPartition: 262_144,
      maxBytes: 4_194_304,
      requestTimeoutMs: 10_000,
      topology: 'create',
      compression: 'none',
    });
  });

  test.each<[string, unknown, RegExp]>([
    ['no addresses', {}, /brokers: .*found nothing/],
    ['an empty list', { brokers: [] }, /brokers: /],
    ['an address without a port', { brokers: ['localhost'] }, /brokers\.0: must be 'host:port'.*found "localhost"/],
    ['a port that is none', { brokers: ['localhost:70000'] }, /brokers\.0: must be 'host:port'/],
    ['an unknown option', { brokers, acks: 1 }, /unknown option 'acks'/],
    [
      'an unknown option inside',
      { brokers, sasl: { mechanism: 'plain', username: 'u', password: 'p', token: 'x' } },
      /unknown option 'sasl\.token'/,
    ],
    ['a session that no broker allows', { brokers, sessionTimeoutMs: 1_000 }, /sessionTimeoutMs: .*found 1000/],
    [
      'heartbeats that are too rare',
      { brokers, heartbeatIntervalMs: 5_000 },
      /heartbeatIntervalMs: must be at most a third/,
    ],
    ['a key without a certificate', { brokers, ssl: { key: 'k' } }, /ssl: must have cert and key together/],
    [
      'an unknown mechanism',
      { brokers, sasl: { mechanism: 'gssapi', username: 'u', password: 'p' } },
      /sasl\.mechanism: /,
    ],
    ['no object', 'localhost:9092', /options: /],
  ])('%s is refused, naming it', (_, options, message) => {
    const error = refusal(options);
    expect(error).toBeInstanceOf(MessagingError);
    expect(error.code).toBe('INVALID_CONFIG');
    expect(error.message).toMatch(message);
  });

  test('no secret is ever repeated', () => {
    const error = refusal({
      brokers,
      sasl: { mechanism: 'secret-1', username: 'u', password: 5 },
      ssl: { ca: 'secret-2', cert: 'secret-3' },
    });
    expect(error.message).not.toMatch(/secret/);
  });

  test('an adapter by name has the same defaults', () => {
    expect(adapter.name).toBe('kafka');
    const configured = adapter.configure(adapter.optionsSchema.parse({ brokers }));
    expect(configured.capabilities).toBe(kafka({ brokers }).capabilities);
  });

  test('a certificate file that is not there is named, before anything connects', async () => {
    const { observedRuntime } = await import('./support/harness.js');
    const configured = kafka({ brokers, ssl: { ca: '/nowhere/ca.pem' } }).create(observedRuntime().runtime);
    await expect(configured.connect(new AbortController().signal)).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringMatching(/ssl\.ca must be PEM text or the path of a PEM file.*ENOENT/),
    });
  });
});
