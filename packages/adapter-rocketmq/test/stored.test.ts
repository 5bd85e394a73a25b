import { describe, expect, test } from '@jest/globals';
import { decodeStored } from '../src/internal/stored.js';
import { encodeStored, type Stored } from './support/stored.js';

const ID = { UNIQ_KEY: '0102' };
const decoded = (...messages: Stored[]) =>
  decodeStored(Buffer.concat(messages.map(encodeStored))).map(({ properties, body, ...rest }) => {
    const headers = new Map<string, string>();
    properties((value, name) => headers.set(name, value));
    return { ...rest, body: Buffer.from(body).toString(), headers: Object.fromEntries(headers) };
  });

describe('stored messages', () => {
  test('are taken out one by one, in order', () => {
    const first = {
      offset: 7,
      body: Buffer.from('one'),
      properties: { ...ID, __SHARDINGKEY: 'k', a: '=1' },
      bornAt: 123,
    };
    expect(decoded(first, { offset: 8, body: Buffer.from('two'), properties: ID })).toEqual([
      {
        messageId: '0102',
        messageGroup: 'k',
        bornAt: 123,
        offset: 7,
        body: 'one',
        headers: { a: '=1', __SHARDINGKEY: 'k' },
      },
      { messageId: '0102', messageGroup: undefined, bornAt: 5, offset: 8, body: 'two', headers: {} },
    ]);
    expect(decoded()).toEqual([]);
  });

  test.each([{ longTopic: true }, { ipv6: true }, { compressed: true }])('have more than one form: %j', (form) => {
    const message = { offset: 1, body: Buffer.from('żółć'.repeat(50)), properties: { ...ID, h: 'żółć' } };
    expect(decoded({ ...message, ...form })).toEqual(decoded(message));
  });

  test('without an id of their sender are called by their place', () => {
    const messages = [
      { offset: 2, body: Buffer.from('x') },
      { offset: 3, body: Buffer.from('x'), ipv6: true },
    ];
    expect(decoded(...messages).map(({ messageId }) => messageId)).toEqual([
      '7F00000100002A9F0000000000001002',
      '0000000000000000000000000000000100002A9F0000000000001003',
    ]);
  });

  test('keep to themselves what the proxy does not give to receivers', () => {
    const own = { KEYS: 'a', TAGS: 'b', TIMER_OUT_MS: '1', BORN_TIMESTAMP: '2', '1ST_POP_TIME': '3', WAIT: 'true' };
    const [message] = decoded({ offset: 0, body: Buffer.from('x'), properties: { ...own, trace: 'y' } });
    expect(message?.headers).toEqual({ trace: 'y' });
  });

  test('of a form that is not known are refused', () => {
    const bytes = encodeStored({ offset: 0, body: Buffer.from('x') });
    bytes.writeUInt32BE(1, 4);
    expect(() => decodeStored(bytes)).toThrow(/unknown form/);
  });
});
