import { describe, expect, test } from '@jest/globals';
import { Ownership } from '../src/consumer/ownership.js';
import type { Decision } from '../src/delay/decisions.js';
import type { Held } from '../src/delay/forwarder.js';
import { Gate } from '../src/delay/gate.js';
import { silentLogger } from '../src/logger.js';
import type { Follower } from '../src/system/follower.js';
import type { ParcelNote } from '../src/system/parcel.js';
import type { Post } from '../src/system/post.js';

const NOW = 1_000_000;
const signal = new AbortController().signal;
const source = (name: string): Ownership =>
  new Ownership(
    name,
    () => {},
    () => true,
  );

function held(from: Ownership, note: Partial<ParcelNote>): Held {
  const message = { id: 'm', body: new Uint8Array(0), headers: undefined, time: 0 };
  const full: ParcelNote = { type: 'x', contentType: 'y', ...note };
  return { record: {} as Held['record'], source: from, message, note: full, signal };
}

/** A gate whose decisions are written when the test says so. */
function gateOf() {
  const sent: string[] = [];
  const clock = { now: NOW };
  const writes: { decision: Decision; stored(): void; fail(error: Error): void }[] = [];
  const log: Decision[] = [];
  let readings = 0;
  const decisions = {
    past: (see: (decision: Decision) => void) => {
      let read = 0;
      return {
        catchUp: async () => {
          if (read === 0) readings += 1;
          for (const decision of log.slice(read)) see(decision);
          read = log.length;
        },
        close: async () => {
          read = 0;
        },
      } as unknown as Follower;
    },
    write: (decision: Decision) =>
      new Promise<void>((stored, fail) => {
        writes.push({ decision, stored, fail });
      }),
  };
  const post = { send: async (_: unknown, { id }: { id: string }) => void sent.push(id) } as unknown as Post;
  const gate = new Gate({
    post,
    decisions,
    ended: signal,
    log: silentLogger,
    now: () => clock.now,
    sleep: async () => {},
    failed: () => {},
  });
  return { gate, sent, writes, log, clock, readings: () => readings };
}

const cancel = { token: 't', request: 'r', deliverAt: NOW + 1 };
const delay = { ...cancel, enteredAt: 0, sentAt: 0, asParcel: false, to: {} as never };

describe('the gate', () => {
  test('another period of ownership that begins meanwhile does not forget what is being cancelled', async () => {
    const { gate, sent, writes } = gateOf();
    const [first, second] = [source('first'), source('second')];
    await gate.begin(first, signal);
    const decided = gate.leave(held(first, { cancel }));
    await Promise.resolve();
    await gate.begin(second, signal);
    const left = gate.leave(held(second, { delay }));
    writes[0]?.stored();
    expect([await decided, await left, sent]).toEqual([true, true, []]);
    expect(writes[0]?.decision.answer).toBe('cancelled');
  });

  test('what could not be written before the ownership was lost is not cancelled here', async () => {
    const { gate, sent, writes } = gateOf();
    const [first, second] = [source('first'), source('second')];
    await gate.begin(first, signal);
    const decided = gate.leave(held(first, { cancel }));
    first.lost();
    writes[0]?.fail(new Error('no'));
    expect(await decided).toBe(false);
    await gate.begin(second, signal);
    expect([await gate.leave(held(second, { delay })), sent]).toEqual([true, ['m']]);
  });

  test('what another one has decided before the gate was ours is kept, whenever that was read', async () => {
    const { gate, sent, log } = gateOf();
    log.push({ ...cancel, answer: 'cancelled' });
    const owner = source('owner');
    await gate.begin(owner, signal);
    log.push({ ...cancel, token: 'u', answer: 'cancelled' });
    await gate.begin(owner, signal);
    for (const token of ['t', 'u', 'v']) await gate.leave(held(owner, { delay: { ...delay, token } }));
    expect(sent).toEqual(['m']);
  });

  test('a decision by a clock that was ahead keeps what was due by it from being cancelled', async () => {
    const { gate, writes, log } = gateOf();
    log.push({ ...cancel, deliverAt: NOW + 9, answer: 'too-late' });
    const owner = source('owner');
    await gate.begin(owner, signal);
    void gate.leave(held(owner, { cancel: { ...cancel, token: 'u' } }));
    await Promise.resolve();
    expect(writes[0]?.decision.answer).toBe('too-late');
  });

  test('what is long overdue is not kept in memory: all is read once more when it comes, and nobody passes meanwhile', async () => {
    const { gate, sent, log, clock, readings } = gateOf();
    const owner = source('owner');
    log.push({ ...cancel, answer: 'cancelled' });
    await gate.begin(owner, signal);
    clock.now = NOW + 5 * 3_600_000;
    log.push({ ...cancel, token: 'u', deliverAt: clock.now, answer: 'cancelled' });
    await gate.begin(owner, signal);
    expect(readings()).toBe(1);
    const late = gate.leave(held(owner, { delay }));
    const wish = gate.leave(held(owner, { cancel: { ...cancel, request: 's' } }));
    const next = gate.leave(held(owner, { delay: { ...delay, token: 'v', deliverAt: clock.now } }));
    expect([await late, await next, sent, readings()]).toEqual([true, true, ['m'], 2]);
    void wish;
  });
});
