import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { groupName, portableGroup, portableTopic, topicName } from '../src/names.js';

const name = fc.stringMatching(/^[A-Za-z0-9]{1,6}([.-][A-Za-z0-9]{1,6}){0,4}$/);
const namespace = fc.stringMatching(/^[A-Za-z0-9]{1,6}(-[A-Za-z0-9]{1,6}){0,2}$/);
const LEGAL = /^[%|a-zA-Z0-9_-]+$/;

describe('names', () => {
  test('dots become underscores', () => {
    expect(topicName('shop', 'orders.paid-now')).toBe('shop_orders_paid-now');
    expect(groupName('shop', 'g.1', 'orders.paid')).toBe('shop_g_1%orders_paid');
  });

  test('are legal and injective', () => {
    const triple = fc.tuple(namespace, name, name);
    fc.assert(
      fc.property(triple, triple, (a, b) => {
        expect(topicName(a[0], a[1])).toMatch(LEGAL);
        expect(groupName(...a)).toMatch(LEGAL);
        expect(topicName(a[0], a[1]) === topicName(b[0], b[1])).toBe(a[0] === b[0] && a[1] === b[1]);
        expect(groupName(...a) === groupName(...b)).toBe(a.every((part, i) => part === b[i]));
      }),
    );
  });

  test('the longest fit, and long ones that differ only at their end stay apart', () => {
    const [ns, group, topic] = ['n'.repeat(24), 'g'.repeat(64), 't'.repeat(99)];
    expect(topicName(ns, `${topic}a`).length).toBeLessThanOrEqual(127);
    expect(groupName(ns, group, `${topic}a`)).toHaveLength(120);
    expect(groupName(ns, group, `${topic}a`)).not.toBe(groupName(ns, group, `${topic}b`));
    expect(groupName(ns, group, `${topic}a`)).toMatch(LEGAL);
  });

  test('are read back from those of the broker, and from no others', () => {
    fc.assert(
      fc.property(namespace, name, name, name, (ns, group, topic, other) => {
        expect(portableTopic(ns, topicName(ns, topic))).toBe(topic);
        expect(portableGroup(ns, groupName(ns, group, topic), topic)).toBe(group);
        expect(portableGroup(ns, groupName(ns, group, topic), other)).toBe(other === topic ? group : undefined);
      }),
    );
    const [ns, group, topic] = ['n'.repeat(24), 'g'.repeat(64), 't'.repeat(100)];
    expect(portableGroup(ns, groupName(ns, group, topic), topic)).toBe(group);
    expect(portableTopic('shop', 'shop-b_orders')).toBeUndefined();
    expect(portableTopic('shop', '%RETRY%shop_g%orders')).toBeUndefined();
    expect(portableGroup('shop', 'TOOLS_CONSUMER', 'orders')).toBeUndefined();
  });
});
