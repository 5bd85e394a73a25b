import { monotonicMicros } from '../history/index.js';
import { DELAY_SCENARIOS } from './delay-scenarios.js';
import { LETTER_SCENARIOS } from './letter-scenarios.js';
import type { ChaosRun } from './run.js';
import { fault, restarted, type Scenario, type Shown } from './scenario.js';

const CUTS = 6;
const AGAIN_MS = 5_000;
const RESET_MS = 100;
const CHURN_EVERY_MS = 2_000;

/** Each cut is a fault of its own: what was in flight at one is not excused by another. */
async function cutOnce(run: ChaosRun): Promise<Shown> {
  const { broker, target } = run.settings;
  const before = broker.proxy.accepted;
  const cut = broker.proxy.cutInAnswer(1, target.answerBytes);
  await run.until(() => cut.hits > 0, `an answer of ${target.answerBytes} bytes to cut`);
  // The half of the answer is on its way; the reset follows.
  await run.pause(RESET_MS);
  const t = monotonicMicros();
  cut.heal();
  return { proof: cut.hits, t, noticed: await madeAnew(run, before) };
}

/**
 * Who was cut off has come again. The number of new connections: 0 when nobody came for a while, as when a client had two open and goes
 * on with the other.
 */
async function madeAnew(run: ChaosRun, before: number): Promise<number> {
  const { proxy } = run.settings.broker;
  const until = performance.now() + AGAIN_MS;
  await run.until(() => proxy.accepted > before || performance.now() > until, 'who was cut off to come again');
  return proxy.accepted - before;
}

async function blackHole(run: ChaosRun, ms: number): Promise<Shown> {
  const { proxy } = run.settings.broker;
  const hole = proxy.blackHole();
  await run.pause(ms);
  const before = proxy.accepted;
  hole.heal();
  const t = monotonicMicros();
  return { proof: hole.hits, t, noticed: await madeAnew(run, before) };
}

/** Every scenario of the chaos table. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'broker-stop',
    title: 'broker SIGTERM and restart',
    breaksBroker: true,
    strike: (run) => fault(run, 'broker-stop', () => restarted(run, 'stop')),
  },
  {
    name: 'broker-kill',
    title: 'broker SIGKILL and restart',
    killsBroker: true,
    breaksBroker: true,
    strike: (run) => fault(run, 'broker-kill', () => restarted(run, 'kill')),
  },
  {
    name: 'cut-answer',
    title: 'connections cut in the middle of an answer',
    proxied: true,
    async strike(run) {
      for (let i = 0; i < CUTS; i += 1) await fault(run, 'cut-answer', () => cutOnce(run));
    },
  },
  {
    name: 'black-hole',
    title: 'black hole',
    proxied: true,
    strike: (run, _, { blackHoleMs }) => fault(run, 'black-hole', () => blackHole(run, blackHoleMs)),
  },
  {
    name: 'member-kill',
    title: 'member SIGKILL, another joins',
    strike: (run, [first]) =>
      fault(
        run,
        'member-kill',
        async () => {
          await run.kill(first);
          await run.member();
          return { proof: 1 };
        },
        first.name,
      ),
  },
  {
    name: 'member-stop',
    title: 'member SIGSTOP beyond its lease, and back',
    strike: (run, [first]) =>
      fault(
        run,
        'member-stop',
        async () => {
          await run.suspend(first);
          await run.pause(1.5 * run.settings.target.staleMs);
          run.resume(first);
          return { proof: 1 };
        },
        first.name,
      ),
  },
  {
    name: 'join-leave',
    title: 'a member joins and leaves every 2 s',
    graceful: true,
    strike: (run, _, { churnMs }) =>
      fault(run, 'join-leave', async () => {
        let changes = 0;
        for (const end = performance.now() + churnMs; performance.now() < end; changes += 2) {
          const member = await run.member();
          await run.pause(CHURN_EVERY_MS);
          await run.leave(member);
          await run.pause(CHURN_EVERY_MS);
        }
        return { proof: changes };
      }),
  },
  {
    name: 'close',
    title: 'a member closes during the flow, another joins',
    graceful: true,
    strike: (run, [first]) =>
      fault(run, 'close', async () => {
        await run.leave(first);
        await run.member();
        return { proof: 1 };
      }),
  },
  ...DELAY_SCENARIOS,
  ...LETTER_SCENARIOS,
];
