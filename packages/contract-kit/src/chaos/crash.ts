import type { IncomingRecord, OutgoingRecord, Receiver } from '@anymq/core/adapter';
import type { Recorder } from '../history/index.js';
import type { Tamper } from '../tamper.js';
import { handled, lettered, redriven } from './letter-work.js';

/**
 * Where a process of a run kills itself: `forwarded` a delayed message was written on and is not settled in its line; `decided` it
 * was written down whether a message is cancelled, and the wish is not settled: only the owner of the gate comes there; `released` the
 * copy of a failed message is stored and the message is not settled; `handled` handlers have returned and nothing of them is settled;
 * `lettered` a dead letter is stored and its message is not settled; `redriven` its message is stored in the inbox and the letter is
 * not removed.
 */
export type CrashPoint = 'forwarded' | 'decided' | 'released' | LetterPoint;

/** Points at which it is known which messages are held. */
type LetterPoint = 'handled' | 'lettered' | 'redriven';

const LETTER_POINTS: Readonly<Record<LetterPoint, typeof handled>> = { handled, lettered, redriven };

export const namesWhatIsHeld = (point: CrashPoint | undefined): point is LetterPoint =>
  point !== undefined && Object.hasOwn(LETTER_POINTS, point);

const LINES = 'anymq.delay.';
const PARCEL = 'anymq-parcel';

interface Note {
  readonly delay?: { readonly asParcel: boolean; readonly sentAt: number; readonly enteredAt: number };
  readonly cancel?: object;
}

/** @param reached told, in the middle of it, each time the point is reached; and of which messages, where that is known */
export function crashing(point: CrashPoint, reached: (ids?: readonly string[]) => void): Tamper {
  if (namesWhatIsHeld(point)) return LETTER_POINTS[point](reached);
  if (point === 'released') return copied(reached);
  const there = (record: IncomingRecord): boolean =>
    noteOf(record)[point === 'decided' ? 'cancel' : 'delay'] !== undefined;
  return {
    member: ({ spec, receiver }) => ({
      receiver: {
        settle: (records) => {
          if (spec.topic.name.startsWith(LINES) && records.some(there)) reached();
          receiver().settle(records);
        },
      },
    }),
  };
}

function copied(reached: () => void): Tamper {
  return {
    sender: (sender) => ({
      write: async (lane, records) => {
        const results = await sender.write(lane, records);
        if (records.some(isFreshCopy)) reached();
        return results;
      },
    }),
  };
}

/** Of a failed message, by who failed: forwarders write it again, later. */
function isFreshCopy(record: OutgoingRecord): boolean {
  const { delay } = noteOf(record);
  return delay?.asParcel === true && delay.sentAt === delay.enteredAt;
}

const noteOf = ({ headers }: Pick<OutgoingRecord, 'headers'>): Note => JSON.parse(headers?.[PARCEL] ?? '{}') as Note;

/** What comes to this process to be sent on, and what it has sent on, is on record before. */
export const forwards = (recorder: Recorder): Tamper => ({
  member: ({ spec, sink, receiver }) => {
    const step = spec.topic.name;
    if (!step.startsWith(LINES)) return {};
    const each = (records: readonly IncomingRecord[], note: (step: string, id: string) => void): void => {
      for (const record of records) if (noteOf(record).delay !== undefined) note(step, record.id);
      recorder.flush();
    };
    return {
      sink: {
        deliver: (records) => {
          each(records, recorder.held);
          sink.deliver(records);
        },
      },
      receiver: {
        settle: (records) => {
          each(records, recorder.passed);
          receiver().settle(records);
        },
      },
    };
  },
});

/**
 * A process that sends delayed messages and gets none of their lines: it stands by for ever. Whoever works on them is another one,
 * and may be killed while this one goes on sending.
 */
export const idle = (): Tamper => ({
  adapter: (adapter) => ({
    openReceiver: async (spec, sink) =>
      spec.topic.name.startsWith(LINES) ? STANDING_BY : adapter.openReceiver(spec, sink),
  }),
});

const STANDING_BY: Receiver = {
  credit: () => {},
  settle: () => {},
  hold: () => {},
  lag: async () => 0,
  close: async () => {},
};
