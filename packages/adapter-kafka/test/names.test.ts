import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { groupId, groupOf, madeId, positionOf, topicName, topicOf } from '../src/names.js';

const word = fc.stringMatching(/^[A-Za-z0-9]{1,8}$/);
const name = fc
  .tuple(word, fc.array(fc.tuple(fc.constantFrom('.', '-'), word), { maxLength: 3 }))
  .map(([first, rest]) => first + rest.map((pair) => pair.join('')).join(''));
const namespace = fc.tuple(word, fc.array(word, { maxLength: 2 })).map(([first, rest]) => [first, ...rest].join('-'));

test('different names never meet', () => {
  const names = fc.tuple(namespace, name, name);
  fc.assert(
    fc.property(names, names, (a, b) => {
      const same = JSON.stringify(a) === JSON.stringify(b);
      expect(groupId(...a) === groupId(...b)).toBe(same);
      expect(topicName(a[0], a[1]) === topicName(b[0], b[1])).toBe(a[0] === b[0] && a[1] === b[1]);
    }),
  );
});

test('names are found again, in their own namespace and topic alone', () => {
  fc.assert(
    fc.property(namespace, name, name, namespace, name, (ns, group, topic, otherNs, otherTopic) => {
      const found = (ofNs: string, ofTopic: string): string | undefined =>
        groupOf(ofNs, groupId(ns, group, topic), ofTopic);
      expect(found(ns, topic)).toBe(group);
      expect(found(otherNs, otherTopic)).toBe(otherNs === ns && otherTopic === topic ? group : undefined);
      expect(topicOf(ns, topicName(ns, topic))).toBe(topic);
      expect(topicOf(otherNs, topicName(ns, topic))).toBe(otherNs === ns ? topic : undefined);
    }),
  );
});

test('names are readable, and within what Kafka allows', () => {
  expect(topicName('shop', 'orders.paid')).toBe('shop.orders.paid');
  expect(groupId('shop', 'shipping', 'orders.paid')).toBe('shop.shipping:orders.paid');
  expect(positionOf(3, 42)).toBe('3:42');
  expect(madeId('shop.orders.paid', 3, 42)).toBe('shop.orders.paid/3/42');
  expect(topicName('n'.repeat(24), 't'.repeat(100)).length).toBeLessThanOrEqual(249);
});
