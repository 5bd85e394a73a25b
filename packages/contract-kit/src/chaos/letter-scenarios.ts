import type { ChaosRun } from './run.js';
import { fault, type Scenario, type Shown, type Worker } from './scenario.js';

/** One key in so many cannot be handled. */
const POISONED_ONE_IN = 5;
/** Of the messages, before letters are redriven: what is left trickles while that lasts. */
const REDRIVE_AT = 0.75;
/** A redrive would take so long, seconds, if nobody ended it. */
const REDRIVE_S = 3;
/** A redrive that is resumed is not the slowest part of a run, and has a rate nevertheless. */
const RESUMED_RATE = 1_000;

/** Somewhere in the middle. */
const part = (): number => 0.1 + Math.random() / 2;

/** A member dies where it holds something; another one joins. */
const memberDies = (name: string): Scenario['strike'] => {
  return (run, [first]) =>
    fault(
      run,
      name,
      async () => {
        await run.crashOne(first);
        await run.member();
        return { proof: died(first) };
      },
      first.name,
    );
};

const died = ({ child }: Worker): number => Number(child.signalCode === 'SIGKILL');

/** From outside, whatever it is doing. */
async function killed(run: ChaosRun): Promise<Shown> {
  const redriver = await run.redriver({ ratePerSecond: Math.ceil(run.standing / REDRIVE_S) });
  await run.removed(Math.ceil(run.standing * part()));
  await run.kill(redriver);
  return { proof: died(redriver) * run.standing };
}

/** Between the message and the removal of its letter. */
async function crashed(run: ChaosRun): Promise<Shown> {
  const redriver = await run.redriver({ crash: 'redriven', crashAfter: Math.ceil(run.standing * part()) });
  await run.ended(redriver);
  return { proof: died(redriver) };
}

/** Scenarios in which processes die with something in their hands. Only what they held when they died may come again. */
export const LETTER_SCENARIOS: readonly Scenario[] = [
  {
    name: 'handler-kill',
    title: 'a member is killed between its handlers and their settlement',
    work: { crash: 'handled' },
    graceful: true,
    strike: memberDies('handler-kill'),
  },
  {
    name: 'letter-kill',
    title: 'a member is killed between a dead letter and the settlement of its message',
    work: { crash: 'lettered', poisonedOneIn: POISONED_ONE_IN },
    graceful: true,
    strike: memberDies('letter-kill'),
  },
  {
    name: 'redrive-kill',
    title: 'who redrives dead letters is killed, twice; a third one goes on',
    work: { poisonedOneIn: POISONED_ONE_IN },
    graceful: true,
    redrives: 'redriven',
    // The inbox has no keys: calls of one may overlap.
    except: ['overlap'],
    async strike(run, members) {
      await run.sent(REDRIVE_AT);
      await run.recover(members);
      await run.kept();
      await fault(run, 'redrive-kill', () => killed(run));
      await fault(run, 'redrive-kill', () => crashed(run));
      const last = await run.redriver({ ratePerSecond: RESUMED_RATE });
      await run.ended(last);
    },
  },
];
