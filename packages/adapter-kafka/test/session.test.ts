import { type AdapterRuntime, HANDOVER_MS, type Timer } from '@anymq/core/adapter';
import { expect, test } from '@jest/globals';
import type { Member, Membership } from '../src/internal/member.js';
import { Session } from '../src/internal/session.js';

const HEARTBEAT_MS = 1_000;
const SESSION_MS = 6_000;
/** What a member counts on: handlers have time to end before others get its partitions. */
const OWNED_MS = SESSION_MS - HANDOVER_MS;

/** A clock that a test moves, also without running timers: as when the process stood still. */
class StillClock {
  time = 0;
  #timers: { readonly due: number; readonly run: () => void }[] = [];
  now = (): number => this.time;
  monotonic = (): number => this.time;

  setTimer(delayMs: number, run: () => void): Timer {
    const timer = { due: this.time + delayMs, run };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  async runDue(): Promise<void> {
    const due = this.#timers.filter((timer) => timer.due <= this.time);
    this.#timers = this.#timers.filter((timer) => timer.due > this.time);
    for (const { run } of due) run();
    await settled();
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function start() {
  const clock = new StillClock();
  const seen = { silent: 0, answers: [] as (() => void)[] };
  const member = { heartbeat: () => new Promise<void>((answer) => seen.answers.push(answer)) };
  const session = new Session({
    runtime: { clock, log: { debug() {} } } as unknown as AdapterRuntime,
    member: member as unknown as Member,
    membership: {} as Membership,
    heartbeatIntervalMs: HEARTBEAT_MS,
    sessionTimeoutMs: SESSION_MS,
    silent: () => {
      seen.silent += 1;
    },
    outdated: () => false,
  });
  return { clock, seen, session, ending: session.stay() };
}

/** Goes on by so much, and asks; the answer is outstanding. */
async function beat(clock: StillClock): Promise<void> {
  clock.time += HEARTBEAT_MS;
  await clock.runDue();
}

test('a heartbeat that is answered in time keeps what the member has', async () => {
  const { clock, seen, session } = start();
  await beat(clock);
  clock.time = OWNED_MS - 1;
  expect(session.alive).toBe(true);
  for (const answer of seen.answers) answer();
  await settled();
  clock.time = OWNED_MS;
  expect(session.alive).toBe(true);
  expect(seen.silent).toBe(0);
  session.end();
});

test('what was not alive for a moment does not come to life again by a late answer', async () => {
  const { clock, seen, session, ending } = start();
  await beat(clock);
  // The question is young enough, the answer before it is not.
  clock.time = OWNED_MS;
  expect(session.alive).toBe(false);
  for (const answer of seen.answers) answer();
  await expect(ending).resolves.toEqual({ kind: 'rebalance' });
  expect(seen.silent).toBe(1);
});
