import { describe, expect, test } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { certainlyNotStored, classify, isExpelled, isStaleLeader, KafkaFault, typeOf } from '../src/errors.js';

interface Parts {
  readonly name?: string;
  readonly type?: string;
  readonly code?: string | number;
  readonly message?: string;
  readonly cause?: unknown;
  readonly errors?: unknown[];
}
const error = ({ message = 'text', ...parts }: Parts): Error => Object.assign(new Error(message), parts);
const protocol = (type: string): Error => error({ name: 'KafkaJSProtocolError', type, code: 3 });
const socket = (code: string): Error => error({ name: 'KafkaJSConnectionError', code });
const wrapped = (cause: Error): Error =>
  error({ name: 'KafkaJSNumberOfRetriesExceeded', cause: error({ name: 'KafkaJSNonRetriableError', cause }) });

describe('classify', () => {
  test.each<[Error, string, boolean]>([
    [socket('ECONNREFUSED'), 'UNAVAILABLE', true],
    [socket('ECONNRESET'), 'UNAVAILABLE', true],
    [socket('ENOTFOUND'), 'UNAVAILABLE', true],
    [error({ name: 'KafkaJSConnectionClosedError' }), 'UNAVAILABLE', true],
    [socket('SELF_SIGNED_CERT_IN_CHAIN'), 'UNAVAILABLE', false],
    [socket('ERR_TLS_CERT_ALTNAME_INVALID'), 'UNAVAILABLE', false],
    [socket('CERT_HAS_EXPIRED'), 'UNAVAILABLE', false],
    [socket('ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE'), 'UNAVAILABLE', false],
    [error({ name: 'KafkaJSSASLAuthenticationError' }), 'UNAUTHORISED', false],
    [protocol('UNSUPPORTED_SASL_MECHANISM'), 'UNAUTHORISED', false],
    [protocol('TOPIC_AUTHORIZATION_FAILED'), 'UNAUTHORISED', false],
    [protocol('GROUP_AUTHORIZATION_FAILED'), 'UNAUTHORISED', false],
    [protocol('UNKNOWN_TOPIC_OR_PARTITION'), 'NOT_FOUND', false],
    [protocol('MESSAGE_TOO_LARGE'), 'TOO_LARGE', false],
    [protocol('INCONSISTENT_GROUP_PROTOCOL'), 'CONFLICT', false],
    [protocol('NOT_ENOUGH_REPLICAS'), 'UNAVAILABLE', true],
    [protocol('GROUP_COORDINATOR_NOT_AVAILABLE'), 'UNAVAILABLE', true],
    [protocol('REQUEST_TIMED_OUT'), 'TIMEOUT', true],
    [error({ name: 'KafkaJSRequestTimeoutError' }), 'TIMEOUT', true],
    [error({ name: 'KafkaJSNotImplemented' }), 'UNSUPPORTED', false],
    [error({ name: 'KafkaJSAggregateError', errors: [protocol('TOPIC_AUTHORIZATION_FAILED')] }), 'UNAUTHORISED', false],
    [new KafkaFault('CONFLICT', false, 'x'), 'CONFLICT', false],
    [new TypeError('x'), 'INTERNAL', false],
  ])('%j is %s, retryable %s, however deep it is wrapped', (found, code, retryable) => {
    expect(classify(found)).toEqual({ code, retryable });
    expect(classify(wrapped(found))).toEqual({ code, retryable });
  });

  test.each([undefined, null, 'text', 5, {}])('never throws: %j', (found) => {
    expect(classify(found)).toEqual({ code: 'INTERNAL', retryable: false });
    expect(typeOf(found)).toBe('');
  });
});

describe('what a failed write means', () => {
  test.each(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH'])('%s: nothing was sent', (code) => {
    expect(certainlyNotStored(socket(code))).toBe(true);
  });
  test.each(['ECONNRESET', 'EPIPE', 'ETIMEDOUT'])('%s: it may be stored', (code) => {
    expect(certainlyNotStored(socket(code))).toBe(false);
  });
  test.each(['NOT_LEADER_FOR_PARTITION', 'NOT_ENOUGH_REPLICAS', 'MESSAGE_TOO_LARGE', 'TOPIC_AUTHORIZATION_FAILED'])(
    '%s: it is not stored',
    (type) => expect(certainlyNotStored(protocol(type))).toBe(true),
  );
  test.each([
    'REQUEST_TIMED_OUT',
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    'NETWORK_EXCEPTION',
    'UNKNOWN',
    'KAFKAJS_UNKNOWN_ERROR_CODE',
  ])('%s: it may be stored', (type) => expect(certainlyNotStored(protocol(type))).toBe(false));
  test('a connection that ended, a request without answer: it may be stored', () => {
    expect(certainlyNotStored(error({ name: 'KafkaJSConnectionClosedError', message: 'Closed connection' }))).toBe(
      false,
    );
    expect(certainlyNotStored(error({ name: 'KafkaJSRequestTimeoutError' }))).toBe(false);
  });
  test("kafkajs's own words for a socket that was never connected", async () => {
    expect(certainlyNotStored(error({ name: 'KafkaJSConnectionError', message: 'Not connected' }))).toBe(true);
    const early = new Error('Broker not connected');
    expect([certainlyNotStored(early), classify(early)]).toEqual([true, { code: 'UNAVAILABLE', retryable: true }]);
    const kafka = new Kafka({ brokers: ['127.0.0.1:1'], logLevel: logLevel.NOTHING, retry: { retries: 0 } });
    const failure = await kafka
      .admin()
      .connect()
      .then(
        () => undefined,
        (refused: unknown) => refused,
      );
    expect(certainlyNotStored(failure)).toBe(true);
    expect(classify(failure)).toEqual({ code: 'UNAVAILABLE', retryable: true });
  });
});

test('who is expelled, and whose leader moved', () => {
  expect(isExpelled(protocol('UNKNOWN_MEMBER_ID'))).toBe(true);
  expect(isExpelled(protocol('REBALANCE_IN_PROGRESS'))).toBe(false);
  expect(isStaleLeader(protocol('NOT_LEADER_FOR_PARTITION'))).toBe(true);
  expect(isStaleLeader(protocol('MESSAGE_TOO_LARGE'))).toBe(false);
});
