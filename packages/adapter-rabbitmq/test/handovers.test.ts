import { type Clock, HANDOVER_MS } from '@anymq/core/adapter';
import { expect, test } from '@jest/globals';
import { Handovers } from '../src/internal/handovers.js';

/** A clock with at most one timer. */
function setUp() {
  const state = { time: 10_000, due: undefined as number | undefined, run: () => {} };
  const clock: Clock = {
    now: () => state.time,
    monotonic: () => state.time,
    setTimer(delayMs, run) {
      Object.assign(state, { due: state.time + delayMs, run });
      return { cancel: () => Object.assign(state, { due: undefined }) };
    },
  };
  const handovers = new Handovers(clock);
  const over = async (): Promise<boolean> => {
    let done = false;
    void handovers.over('b').then(() => {
      done = true;
    });
    await Promise.resolve();
    return done;
  };
  return { state, handovers, over };
}

test('who gave a bucket up keeps nobody waiting, just before or meanwhile, once', async () => {
  const { state, handovers, over } = setUp();
  handovers.given('b');
  state.time += 100;
  expect(await over()).toBe(true);
  expect(await over()).toBe(false);
  expect(state.due).toBe(state.time + HANDOVER_MS);
  handovers.given('b');
  expect(state.due).toBeUndefined();
});

test('a word about an owner before the last one counts no more, nor one about another bucket', async () => {
  const { state, handovers, over } = setUp();
  handovers.given('b');
  state.time += 500;
  expect(await over()).toBe(false);
  handovers.given('c');
  expect(state.due).toBe(state.time + HANDOVER_MS);
  handovers.close();
  expect(state.due).toBeUndefined();
});

test('what an owner without a word has left may be handled after a while', async () => {
  const { state, handovers } = setUp();
  const waiting = handovers.over('b');
  state.run();
  await waiting;
});
