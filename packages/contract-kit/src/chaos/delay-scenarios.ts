import type { ChaosRun } from './run.js';
import { fault, restarted, type Scenario } from './scenario.js';

/** Through two lines. */
const DELAY_MS = 3_000;

const crash = (name: string): Scenario['strike'] => {
  return (run: ChaosRun, members) =>
    fault(run, name, async () => {
      const proof = await run.crash(members);
      await run.member();
      return { proof };
    });
};

/** Scenarios in which messages wait for their time in the hands of processes that die. */
export const DELAY_SCENARIOS: readonly Scenario[] = [
  {
    name: 'delay-forward-kill',
    title: 'who forwards delayed messages is killed between a copy and its settlement',
    work: { delayMs: DELAY_MS, crash: 'forwarded' },
    strike: crash('delay-forward-kill'),
  },
  {
    name: 'delay-cancel-kill',
    title: 'cancels race deliveries, and who decides is killed',
    work: { delayMs: DELAY_MS, cancelOneIn: 4, crash: 'decided' },
    strike: crash('delay-cancel-kill'),
  },
  {
    name: 'delay-broker-kill',
    title: 'broker SIGKILL and restart while messages are delayed',
    work: { delayMs: DELAY_MS },
    killsBroker: true,
    breaksBroker: true,
    strike: (run) => fault(run, 'delay-broker-kill', () => restarted(run, 'kill')),
  },
  {
    name: 'release-kill',
    title: 'a consumer is killed between the copy for a later retry and the settlement',
    work: { failsFirst: true, crash: 'released' },
    // Released on purpose: others of the key pass, and a copy may be beside its message. What must hold is that nothing is lost.
    except: ['order', 'overlap', 'skip', 'duplicates'],
    strike: crash('release-kill'),
  },
];
