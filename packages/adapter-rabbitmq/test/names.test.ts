import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { groupNames, registryOf, shapeOf, topicNames } from '../src/names.js';

const word = fc.stringMatching(/^[A-Za-z0-9]{1,8}$/);
const name = fc
  .tuple(word, fc.array(fc.tuple(fc.constantFrom('.', '-'), word), { maxLength: 3 }))
  .map(([first, rest]) => first + rest.map(([joint, next]) => joint + next).join(''));
const namespace = fc.tuple(word, fc.array(word, { maxLength: 2 })).map(([first, rest]) => [first, ...rest].join('-'));

function all(space: string, topic: string, group: string): string[] {
  const names = topicNames(space, topic, { buckets: 16, history: 'full', keyed: true });
  const { bucket, past, member, ...fixed } = groupNames(names.entry, group);
  return [...Object.values(names), ...Object.values(fixed), bucket(3), past(3), member('x')];
}

describe('names on the broker', () => {
  test('are these', () => {
    expect(topicNames('shop', 'orders.paid', { buckets: 16, history: 'full', keyed: true })).toEqual({
      entry: 'shop.orders.paid',
      rest: 'shop.orders.paid:rest-16-full-keyed',
      control: 'shop.orders.paid:control',
      history: 'shop.orders.paid:history',
    });
    const names = groupNames('shop.orders.paid', 'shipping');
    expect([names.bucket(3), names.past(3), names.bucket(255)]).toEqual([
      'shop.orders.paid:shipping:03',
      'shop.orders.paid:shipping:03:past',
      'shop.orders.paid:shipping:255',
    ]);
  });

  test('are different for everything that is different, and at most 255 bytes', () => {
    const things = fc.uniqueArray(fc.tuple(namespace, name, name), { minLength: 2, maxLength: 4, selector: String });
    fc.assert(
      fc.property(things, (tuples) => {
        // Topic-level names do not depend on the group: each once.
        const names = new Set(tuples.flatMap((tuple) => all(...tuple)));
        const topics = new Set(tuples.map(([space, topic]) => `${space} ${topic}`)).size;
        const perGroup = all('n', 't', 'g').length - 4;
        return names.size === topics * 4 + tuples.length * perGroup;
      }),
    );
    const longest = all('n'.repeat(24), 't'.repeat(100), 'g'.repeat(64)).map((each) => each.length);
    expect(Math.max(...longest)).toBeLessThan(230);
  });

  test('of the registry are no topic’s', () => {
    fc.assert(
      fc.property(namespace, namespace, name, name, (space, other, topic, group) => {
        return !all(other, topic, group).includes(registryOf(space));
      }),
    );
  });

  test('carry what everybody must agree on', () => {
    expect(shapeOf('n.t:rest-8-none-free')).toEqual({ buckets: 8, history: 'none', keyed: false });
    expect(shapeOf('n.t:control')).toBeUndefined();
  });
});
