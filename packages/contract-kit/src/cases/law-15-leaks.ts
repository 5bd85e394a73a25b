import assert from 'node:assert/strict';
import { law } from '../case.js';
import type { CaseContext } from '../context.js';
import { grown, heapInUse, leftOver, memoryInUse, ownCounts } from '../leaks/count.js';
import { Cycles } from '../leaks/cycles.js';
import { runLeakWorker } from '../leaks/process.js';
import { Stream } from '../leaks/stream.js';

const CYCLES = 200;
const SOME_CYCLES = 16;
/** The least that is kept of a client that nobody let go of is its options, its maps and its closures, and the buffers of a socket. */
const HEAP_PER_CYCLE = 16 * 1024;
/** Bodies of so many bytes, most of which would be found in memory again if anything held on to what was handled. */
const BODY = 16 * 1024;
const MESSAGES = 1_000;
const SLOW_MS = 150_000;

const cyclesOf = (t: CaseContext): Cycles =>
  new Cycles({ configure: () => t.configure(), namespace: t.namespace, topic: t.name('cycle') });

export const law15leaks = law(
  15,
  [],
  [
    {
      id: 'LK1',
      title: '200 times connect, send, receive and close leave no socket, timer, listener, descriptor or memory behind',
      alone: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const cycles = cyclesOf(t);
        await cycles.warmUp(CYCLES);
        const before = ownCounts();
        const heapBefore = heapInUse();
        const ran = await cycles.run(CYCLES);
        assert.deepEqual(await leftOver(before, ownCounts), []);
        const perCycle = Math.round((heapInUse() - heapBefore) / ran);
        assert.ok(perCycle < HEAP_PER_CYCLE, `${perCycle} bytes of the heap stay in use after each of ${ran} cycles`);
      },
    },
    {
      id: 'LK3',
      title: '100 connects to a broker that is not there leave nothing behind, and warn of nothing',
      timeoutMs: SLOW_MS,
      async run(t) {
        const { code, stderr, report } = await runInProcess(t, { cycles: 0, failures: 100 });
        assert.equal(stderr, '');
        assert.deepEqual({ code, report }, { code: 0, report: { left: [] } });
      },
    },
    {
      id: 'LK4',
      title: 'the broker has as many connections, channels, queues, consumers and members as before',
      needs: ['network'],
      alone: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const cycles = cyclesOf(t);
        const topic = t.keyed();
        await Promise.all([cycles.warmUp(SOME_CYCLES, SOME_CYCLES / 2), closed(t, topic)]);
        const before = await t.footprint();
        const member = await t.member('g', topic, t.received());
        assert.ok(grown(before, await t.footprint()).length > 0, 'a member that is there is not counted');
        await member.close();
        await cycles.run(SOME_CYCLES);
        await t.close();
        assert.deepEqual(await leftOver(before, () => t.footprint()), []);
      },
    },
    {
      id: 'LK5',
      title: 'a process that used the adapter and closed it ends by itself, in seconds, with nothing on stderr',
      timeoutMs: SLOW_MS,
      async run(t) {
        const { code, stderr, report, endedAfterMs } = await runInProcess(t, { cycles: SOME_CYCLES, failures: 0 });
        assert.equal(stderr, '');
        assert.deepEqual({ code, report }, { code: 0, report: { left: [] } });
        assert.ok(endedAfterMs < 5_000, `it took ${endedAfterMs} ms to end after it had closed everything`);
      },
    },
    {
      id: 'LK6',
      title: 'what was handled is let go of: 1,000 messages in one subscription leave no memory behind',
      alone: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const stream = await Stream.open(t, BODY);
        await Promise.all([stream.pass(MESSAGES / 4), stream.unread(MESSAGES / 4)]);
        const history = await growth(() => stream.unread(MESSAGES));
        const each = (await growth(() => stream.pass(MESSAGES))) - history;
        assert.ok(each < BODY / 4, `${each} bytes stay in use of each message of ${BODY} bytes, besides the history`);
      },
    },
  ],
);

/** Bytes that stay in use for each message. */
async function growth(work: () => Promise<void>): Promise<number> {
  const before = memoryInUse();
  await work();
  return Math.round((memoryInUse() - before) / MESSAGES);
}

/** A member that came and went: what a topic and a group have on the broker stands. */
async function closed(t: CaseContext, topic: ReturnType<CaseContext['keyed']>): Promise<void> {
  const member = await t.member('g', topic, t.received());
  await member.close();
}

function runInProcess(t: CaseContext, work: { readonly cycles: number; readonly failures: number }) {
  const { namespace, deadline } = t;
  return runLeakWorker({ ...t.processWay(), namespace, topic: t.name('process'), ...work }, deadline);
}
