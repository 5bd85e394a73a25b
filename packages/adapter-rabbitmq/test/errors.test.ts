import { MessagingError } from '@anymq/core/adapter';
import { describe, expect, test } from '@jest/globals';
import { certainlyNotStored, classify } from '../src/errors.js';

const withCode = (code: unknown, message = 'x'): Error => Object.assign(new Error(message), { code });

describe('classify', () => {
  test.each([
    [withCode('ECONNREFUSED'), 'UNAVAILABLE', true],
    [withCode('ECONNRESET', 'read ECONNRESET'), 'UNAVAILABLE', true],
    [withCode('ENOTFOUND'), 'UNAVAILABLE', true],
    [new Error('connect ETIMEDOUT'), 'UNAVAILABLE', true],
    [new Error('Heartbeat timeout'), 'UNAVAILABLE', true],
    [new Error('Unexpected close'), 'UNAVAILABLE', true],
    [new Error('Socket closed abruptly during opening handshake'), 'UNAVAILABLE', true],
    [new Error('Channel ended, no reply will be forthcoming'), 'UNAVAILABLE', true],
    [new Error('channel closed'), 'UNAVAILABLE', true],
    [new Error('Connection closed (Error: read ECONNRESET)'), 'UNAVAILABLE', true],
    [new Error('message nacked'), 'UNAVAILABLE', true],
    [withCode(320, 'Connection closed: 320 (CONNECTION-FORCED)'), 'UNAVAILABLE', true],
    [withCode(541, 'INTERNAL_ERROR'), 'UNAVAILABLE', true],
    [withCode('SELF_SIGNED_CERT_IN_CHAIN'), 'UNAVAILABLE', false],
    [withCode('CERT_HAS_EXPIRED'), 'UNAVAILABLE', false],
    [withCode('ERR_TLS_CERT_ALTNAME_INVALID'), 'UNAVAILABLE', false],
    [withCode('ERR_SSL_WRONG_VERSION_NUMBER'), 'UNAVAILABLE', false],
    [new Error('Handshake terminated by server: 403 (ACCESS-REFUSED) with message "..."'), 'UNAUTHORISED', false],
    [new Error('Expected ConnectionOpenOk; got <ConnectionClose channel:0>'), 'UNAUTHORISED', false],
    [new Error('SASL mechanism EXTERNAL is not provided by the server'), 'UNAUTHORISED', false],
    [withCode(403), 'UNAUTHORISED', false],
    [withCode(404), 'NOT_FOUND', false],
    [withCode(405), 'UNAVAILABLE', true],
    [withCode(406, "inequivalent arg 'x'"), 'CONFLICT', false],
    [withCode(406, 'delivery acknowledgement on channel 1 timed out. Timeout value'), 'TIMEOUT', true],
    [withCode(406, 'message size 200000000 is larger than configured max size 134217728'), 'TOO_LARGE', false],
    [withCode(540), 'UNSUPPORTED', false],
    [withCode('ERR_OUT_OF_RANGE', 'Encoded field table (headers) exceeds'), 'TOO_LARGE', false],
    [new MessagingError('TIMEOUT', 'late'), 'TIMEOUT', true],
    [new TypeError('oops'), 'INTERNAL', false],
    ['a string', 'INTERNAL', false],
    [undefined, 'INTERNAL', false],
    [null, 'INTERNAL', false],
  ])('%s', (error, code, retryable) => {
    expect(classify(error)).toEqual({ code, retryable });
  });

  test('a refused channel has certainly stored nothing, a broken one may have', () => {
    expect(certainlyNotStored(withCode(403), false)).toBe(true);
    expect(certainlyNotStored(withCode(403), true)).toBe(false);
    expect(certainlyNotStored(withCode(404), false)).toBe(false);
    expect(certainlyNotStored(new Error('Unexpected close'), false)).toBe(false);
  });
});
