import { describe, expect, test } from '@jest/globals';
import type { ConsumeMessage } from '../src/client.js';
import { Batches } from '../src/internal/batches.js';

const message = (tag: number, bytes = 1): ConsumeMessage =>
  ({ fields: { deliveryTag: tag }, content: Buffer.alloc(bytes) }) as ConsumeMessage;

const tagOf = ({ fields }: ConsumeMessage): number => fields.deliveryTag;

/** Batches whose dealing is answered by hand. */
function manual(prefetch = 10, maxBytes = 1_000) {
  const dealt: number[][] = [];
  const done: number[] = [];
  let answer: () => void = () => {};
  const batches = new Batches(
    (messages) => {
      dealt.push(messages.map(tagOf));
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
    prefetch,
    maxBytes,
  );
  const add = (...messages: ConsumeMessage[]): void => {
    for (const each of messages) batches.add(each, (last) => done.push(tagOf(last)));
  };
  const settled = async (): Promise<void> => {
    answer();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { batches, add, settled, turn, dealt, done };
}

describe('batches of a stream', () => {
  test('are what comes in one turn, and then what came meanwhile, one at a time', async () => {
    const { add, settled, turn, dealt, done } = manual();
    add(message(1), message(2));
    await turn();
    add(message(3));
    await turn();
    add(message(4));
    expect([dealt, done]).toEqual([[[1, 2]], []]);
    await settled();
    expect([dealt, done]).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
      [2],
    ]);
    await settled();
    expect(done).toEqual([2, 4]);
  });

  test('of large messages keep the broker from sending as many ahead', async () => {
    const { add, settled, turn, done } = manual(10, 1_000);
    // Three of them are to be ahead: seven stay unacknowledged.
    add(...Array.from({ length: 10 }, (_, index) => message(index + 1, 300)));
    await turn();
    await settled();
    expect(done).toEqual([3]);
    add(message(11, 300), message(12, 300), message(13, 300));
    await turn();
    await settled();
    expect(done).toEqual([3, 6]);
    // And come back to many with small ones.
    add(message(14, 1), message(15, 1), message(16, 1));
    await turn();
    await settled();
    expect(done).toEqual([3, 6, 16]);
  });

  test('of messages larger than all go one by one', async () => {
    const { add, settled, turn, done } = manual(2, 1_000);
    add(message(1, 5_000), message(2, 5_000));
    await turn();
    await settled();
    expect(done).toEqual([1]);
  });

  test('end when they are stopped, with the batch that was', async () => {
    const { batches, add, settled, turn, dealt } = manual();
    add(message(1));
    await turn();
    add(message(2));
    let stopped = false;
    const stopping = batches.stop().then(() => {
      stopped = true;
    });
    await turn();
    expect(stopped).toBe(false);
    await settled();
    await stopping;
    add(message(3));
    await turn();
    expect(dealt).toEqual([[1]]);
  });
});
