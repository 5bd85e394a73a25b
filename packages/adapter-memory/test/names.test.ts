import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { groupName, topicName } from '../src/names.js';

const word = fc.stringMatching(/^[A-Za-z0-9]{1,8}$/);
const namespace = fc.array(word, { minLength: 1, maxLength: 2 }).map((words) => words.join('-'));
const name = fc
  .tuple(fc.array(word, { minLength: 1, maxLength: 4 }), fc.constantFrom('.', '-'))
  .map(([words, separator]) => words.join(separator));

test.each([topicName, groupName])('%p: two names or namespaces that differ never meet', (nameOf) => {
  fc.assert(
    fc.property(fc.tuple(namespace, name), fc.tuple(namespace, name), (a, b) => {
      expect(nameOf(...a) === nameOf(...b)).toBe(a[0] === b[0] && a[1] === b[1]);
    }),
  );
});

test('a name is readable', () => {
  expect(topicName('anymq', 'orders.paid')).toBe('anymq.orders.paid');
});
