import type { ReceiverSink, TopicSpec } from '../adapter/spi.js';
import { ownReceiverSpec } from '../consumer/receiver-spec.js';
import { invalidArgument } from '../errors.js';
import { checkGroupName } from '../names.js';
import { checkObject, integerIn, onlyKnown } from '../range.js';
import { ask } from '../system/ask.js';
import { pack } from '../system/parcel.js';
import type { System } from '../system/system.js';
import { inboxOf } from '../system/topics.js';
import type { DeadLetter, RedriveOptions, RedriveReport } from './contract.js';
import { flow } from './flow.js';
import type { Ledger } from './ledger.js';
import { Pacer } from './pacer.js';
import { redriven } from './record.js';

const KNOWN = ['ratePerSecond', 'dryRun', 'to', 'maxCycles', 'signal', 'onProgress'] as const;
const MIN_RATE = 0.001;
const MAX_RATE = 100_000;
const MAX_MAX_CYCLES = 1_000_000;
/** Where a loop of redriving ends, unless the caller says otherwise. */
export const DEFAULT_MAX_CYCLES = 10;

/** Options that were checked. */
export interface Redrive {
  readonly ratePerSecond: number;
  readonly dryRun: boolean;
  /** Undefined: the group that gave them up. */
  readonly toGroup: string | undefined;
  readonly maxCycles: number;
  readonly onProgress: RedriveOptions['onProgress'];
}

/** Throws `INVALID_ARGUMENT`. */
export function redriveOf(options: RedriveOptions): Redrive {
  checkObject('redrive() options', options);
  onlyKnown('redrive()', options, KNOWN);
  const { ratePerSecond = Number.POSITIVE_INFINITY, dryRun = false, to, maxCycles, onProgress } = options;
  const slow = typeof ratePerSecond !== 'number' || !(ratePerSecond >= MIN_RATE);
  if (slow || (options.ratePerSecond !== undefined && ratePerSecond > MAX_RATE))
    throw invalidArgument(`ratePerSecond must be a number from ${MIN_RATE} to ${MAX_RATE}.`);
  if (typeof dryRun !== 'boolean') throw invalidArgument('dryRun must be true or false.');
  return {
    ratePerSecond,
    dryRun,
    toGroup: to === undefined ? undefined : groupOf(to),
    maxCycles: integerIn('maxCycles', maxCycles, 1, MAX_MAX_CYCLES, DEFAULT_MAX_CYCLES),
    onProgress,
  };
}

function groupOf(to: { readonly group: string }): string {
  checkObject('redrive() to', to);
  onlyKnown('redrive() to', to, ['group']);
  return checkGroupName(to.group);
}

/** Sends the letters to their group, and removes each when it is stored there. */
export async function redrive(
  ledger: Ledger,
  letters: readonly DeadLetter[],
  { ratePerSecond, dryRun, toGroup, maxCycles, onProgress }: Redrive,
  stop: AbortSignal,
): Promise<RedriveReport> {
  const { system, origin } = ledger;
  const going = letters.filter(({ cycles }) => cycles < maxCycles);
  const report = { selected: letters.length, redriven: going.length, exhausted: letters.length - going.length };
  if (dryRun || going.length === 0) return report;
  const group = toGroup ?? origin.group;
  const inbox = inboxOf(origin.topic, group, system.history);
  if (inbox.history === 'none') await createGroup(system, inbox, group, stop);
  let done = 0;
  const send = async (letter: DeadLetter): Promise<void> => {
    const { message, note } = redriven(letter);
    await ledger.send(inbox, pack(inbox, message, note, message.id));
    await ledger.remove(letter);
    done += 1;
    onProgress?.({ done, total: going.length });
  };
  await flow(going, send, { stop, pacer: new Pacer(system.broker.runtime.clock, ratePerSecond) });
  return report;
}

/** Where nothing is kept for groups that do not exist yet, the group must exist before anything is sent. */
async function createGroup(system: System, topic: TopicSpec, group: string, stop: AbortSignal): Promise<void> {
  const spec = ownReceiverSpec(topic, group, { maxInFlight: 1, maxInFlightBytes: 1024 * 1024 });
  const join = async (adapter: System['broker']['adapter']): Promise<void> => {
    const receiver = await adapter.openReceiver(spec, NOTHING_TAKEN);
    await receiver.close();
  };
  await ask(system, join, `create group '${group}' of topic '${topic.name}'`, stop);
}

/** Without credit nothing is delivered, and what is owned is given up at once. */
const NOTHING_TAKEN: ReceiverSink = {
  own: (name) => ({ name, drain: async () => {}, lost() {} }),
  deliver() {},
  failed() {},
};
