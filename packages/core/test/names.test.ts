import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bytes, json, text } from '../src/codec.js';
import { checkGroupName, checkHeaders, checkId, checkKey, checkTopicName } from '../src/names.js';
import { Outstanding } from '../src/producer/outstanding.js';
import { Queue } from '../src/queue.js';

const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' });

describe('names', () => {
  test('every legal name passes, and nothing else', () => {
    const legal = /^[A-Za-z0-9]+([.-][A-Za-z0-9]+)*$/;
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'B', '0', '.', '-', '_', ' ', 'ü'), maxLength: 8 }),
        (name) => {
          if (legal.test(name)) expect(checkTopicName(name)).toBe(name);
          else expect(() => checkTopicName(name)).toThrow(refused);
        },
      ),
    );
  });

  test.each(['anymq.x', 'anymq.dead.orders.g', 'AnyMQ.orders'])('topic %s is AnyMQ’s own', (name) => {
    expect(() => checkTopicName(name)).toThrow(refused);
    expect(() => checkTopicName(name)).toThrow(/reserved: 'anymq\.' begins the names of AnyMQ's own topics/);
  });

  test.each(['anymq', 'anymq-x', 'anymqs.x', 'my.anymq.x'])('topic %s is anybody’s', (name) => {
    expect(checkTopicName(name)).toBe(name);
  });

  test('lengths have bounds', () => {
    expect(checkTopicName('x'.repeat(100))).toHaveLength(100);
    expect(() => checkTopicName('x'.repeat(101))).toThrow(refused);
    expect(checkGroupName('x'.repeat(64))).toHaveLength(64);
    expect(() => checkGroupName('x'.repeat(65))).toThrow(refused);
    expect(checkKey('é'.repeat(128))).toHaveLength(128);
    expect(() => checkKey('é'.repeat(129))).toThrow(refused);
    expect(checkId('x'.repeat(128))).toHaveLength(128);
    expect(() => checkId('a b')).toThrow(refused);
  });

  test('headers are copied, and reserved names refused', () => {
    const given = { a: '1' };
    const copy = checkHeaders(given);
    given.a = '2';
    expect(copy).toEqual({ a: '1' });
    expect(checkHeaders({})).toBeUndefined();
    const proto: Record<string, string> = JSON.parse('{"__proto__":"x"}');
    for (const headers of [{ 'anymq-id': 'x' }, { CE_id: 'x' }, { 'Content-Type': 'x' }, proto])
      expect(() => checkHeaders(headers)).toThrow(refused);
  });
});

describe('codecs', () => {
  test('json keeps every JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(json().decode(json().encode(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test('json refuses what it would change without a word', () => {
    for (const value of [Number.NaN, { a: [Number.POSITIVE_INFINITY] }, undefined, () => {}, 1n])
      expect(() => json().encode(value)).toThrow();
    expect(json().encode({ a: null, b: undefined }).toString()).toBe('{"a":null}');
  });

  test('text and bytes keep everything, bytes as copies', () => {
    const string = fc.string({ unit: 'binary' });
    fc.assert(fc.property(string, (value) => expect(text().decode(text().encode(value))).toBe(value)));
    const value = Uint8Array.of(1, 2);
    const encoded = bytes().encode(value);
    value[0] = 9;
    expect([...encoded]).toEqual([1, 2]);
    expect(bytes().decode(encoded)).not.toBe(encoded);
  });
});

test('a queue is an array with cheap ends', () => {
  const operation = fc.oneof(
    fc.record({ push: fc.integer() }),
    fc.constant('shift' as const),
    fc.record({ unshift: fc.array(fc.integer(), { maxLength: 3 }) }),
    fc.constant('even' as const),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 300 }), (operations) => {
      const queue = new Queue<number>();
      let model: number[] = [];
      for (const one of operations) {
        if (one === 'shift') expect(queue.shift()).toBe(model.shift());
        else if (one === 'even') {
          queue.retain((item) => item % 2 === 0);
          model = model.filter((item) => item % 2 === 0);
        } else if ('push' in one) {
          queue.push(one.push);
          model.push(one.push);
        } else {
          queue.unshift(one.unshift);
          model.unshift(...one.unshift);
        }
        expect([queue.size, queue.peek(), ...queue]).toEqual([model.length, model[0], ...model]);
      }
    }),
  );
});

test('a flush waits for what began before it, however later ones end', async () => {
  const outstanding = new Outstanding();
  const [a, b] = [outstanding.begin(), outstanding.begin()];
  const done: string[] = [];
  const first = outstanding.settled().then(() => done.push('first'));
  const c = outstanding.begin();
  const second = outstanding.settled().then(() => done.push('second'));
  outstanding.end(c);
  outstanding.end(a);
  await Promise.resolve();
  expect(done).toEqual([]);
  outstanding.end(b);
  await Promise.all([first, second]);
  expect([done, outstanding.idle]).toEqual([['first', 'second'], true]);
});
