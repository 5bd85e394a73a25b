import { MessagingError } from '@anymq/core/adapter';
import { describe, expect, test } from '@jest/globals';
import { certainlyNotStored, classify, StatusError } from '../src/errors.js';

const coded = (code: number | string, message: string): Error => Object.assign(new Error(message), { code });
const startup = (cause: Error): Error =>
  new Error('Startup the rocketmq client failed', { cause: new Error('Failed to fetch topic routes', { cause }) });
const remoting = (remotingCode: number, message: string): Error => Object.assign(new Error(message), { remotingCode });
const unavailable = (why: string): Error => coded(14, `14 UNAVAILABLE: No connection established. Last error: ${why}`);

describe('classify', () => {
  test.each<[string, unknown, string, boolean]>([
    ['refused', startup(unavailable('connect ECONNREFUSED 127.0.0.1:1')), 'UNAVAILABLE', true],
    ['reset', coded(14, '14 UNAVAILABLE: read ECONNRESET'), 'UNAVAILABLE', true],
    ['wrong CA', startup(unavailable('Error: self-signed certificate in certificate chain')), 'UNAVAILABLE', false],
    ['expired', unavailable('certificate has expired'), 'UNAVAILABLE', false],
    ['wrong name', unavailable('Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP'), 'UNAVAILABLE', false],
    ['TLS to plain text', unavailable('Error: write EPROTO wrong version number'), 'UNAVAILABLE', false],
    ['no secret', startup(coded(40100, 'username cannot be null.')), 'UNAUTHORISED', false],
    ['no right', coded(40100, 'User:a has no permission to access Topic:x'), 'UNAUTHORISED', false],
    ['no right, remoting', remoting(16, 'check signature failed.'), 'UNAUTHORISED', false],
    ['no right, proxy remoting', remoting(1, 'username cannot be null.'), 'UNAUTHORISED', false],
    ['only slaves', coded(40300, 'ProxyException: no writable queue'), 'UNAVAILABLE', true],
    ['forbidden', coded(40300, 'forbidden'), 'UNAUTHORISED', false],
    ['no topic', coded(40402, 'No topic route info'), 'NOT_FOUND', false],
    ['no topic, remoting', remoting(17, 'topic not exist'), 'NOT_FOUND', false],
    ['other type', coded(40014, 'TopicMessageType validate failed'), 'CONFLICT', false],
    ['body', coded(41301, 'too large'), 'TOO_LARGE', false],
    ['properties', coded(43101, 'too large'), 'TOO_LARGE', false],
    ['too fast', coded(42900, 'too many requests'), 'UNAVAILABLE', true],
    ['server', coded(50001, 'NullPointerException'), 'UNAVAILABLE', true],
    ['proxy time-out', coded(50400, 'timeout'), 'TIMEOUT', true],
    ['deadline', coded(4, '4 DEADLINE_EXCEEDED'), 'TIMEOUT', true],
    ['socket', coded('ECONNREFUSED', 'connect ECONNREFUSED'), 'UNAVAILABLE', true],
    ['ours', new MessagingError('CONFLICT', 'x'), 'CONFLICT', false],
    ['unknown', new Error('x'), 'INTERNAL', false],
    ['nothing', undefined, 'INTERNAL', false],
    ['text', 'x', 'INTERNAL', false],
  ])('%s', (_what, error, code, retryable) => {
    expect(classify(error)).toEqual({ code, retryable });
  });

  test('a cause that is its own does not hang', () => {
    const error = new Error('x');
    error.cause = error;
    expect(classify(error).code).toBe('INTERNAL');
  });
});

describe('certainlyNotStored', () => {
  test.each<[string, unknown, boolean]>([
    ['no connection', unavailable('null'), true],
    ['reset', coded(14, '14 UNAVAILABLE: read ECONNRESET'), false],
    ['deadline', coded(4, '4 DEADLINE_EXCEEDED'), false],
    ['refused by the broker', new StatusError(40007, 'property', 'a send'), true],
    ['no right', new StatusError(40100, 'x', 'a send'), true],
    ['answered too late', new StatusError(40800, 'x', 'a send'), false],
    ['too large', new StatusError(43101, 'x', 'a send'), true],
    ['slave too slow', new StatusError(50402, 'x', 'a send'), false],
    ['broker gone, no connection', new StatusError(50001, 'RemotingConnectException', 'a send'), true],
    ['broker gone, under way', new StatusError(50001, 'RemotingSendRequestException', 'a send'), false],
    ['checked by us', new TypeError('x'), true],
    ['unknown', new Error('x'), false],
  ])('%s', (_what, error, certainly) => {
    expect(certainlyNotStored(error)).toBe(certainly);
  });
});
