// What processes of a run do with dead letters.
import type { DeadLetters } from '@anymq/core';
import type { OutgoingRecord, Sender, WriteResult } from '@anymq/core/adapter';
import type { Recorder } from '../history/index.js';
import { writingTo } from '../saboteurs/parcels.js';
import { over, type Tamper } from '../tamper.js';

const isLedger = (topic: string): boolean => topic.startsWith('anymq.dead.');
const isInbox = (topic: string): boolean => topic.startsWith('anymq.inbox.');
const MESSAGE = 'anymq-dead-letter-id';
const REMOVED = 'anymq-removed';

/** The message that a record is the letter of; undefined for what is no letter. */
const messageOf = ({ headers }: OutgoingRecord): string | undefined => headers?.[MESSAGE];

/** Told of what was written to topics of core's own: the records that are stored, once they are. */
const storing = (which: (topic: string) => boolean, stored: (records: readonly OutgoingRecord[]) => void): Tamper =>
  writingTo(which, (sender) => ({
    write: async (lane, records) => {
      const results = await sender.write(lane, records);
      stored(records.filter((_, i) => results[i]?.status === 'stored'));
      return results;
    },
  }));

/** Where a process dies: `reached` is told the messages that it holds. */
type Reached = (ids: readonly string[]) => void;

/** Handlers have returned, and nothing of them is settled. */
export const handled = (reached: Reached): Tamper => ({
  member: ({ spec, receiver }) => ({
    receiver: {
      settle: (records) => {
        if (!spec.topic.name.startsWith('anymq.')) reached(records.map(({ id }) => id));
        receiver().settle(records);
      },
    },
  }),
});

/** Letters are stored, and their messages are not settled. */
export const lettered = (reached: Reached): Tamper =>
  storing(isLedger, (records) => reached(records.flatMap((record) => messageOf(record) ?? [])));

/** Messages are stored in the inbox, and their letters are not removed. */
export const redriven = (reached: Reached): Tamper =>
  storing(isInbox, (records) => reached(records.map(({ id }) => id)));

/** A member's letters are on record as soon as they are stored. */
export const keeping = (recorder: Recorder, group: string): Tamper =>
  storing(isLedger, (records) => {
    for (const record of records) {
      const id = messageOf(record);
      if (id !== undefined) recorder.letter(group, { id, letter: record.id, change: 'kept' });
    }
    recorder.flush();
  });

/** Redrives letters, and tells each step. */
export class Redriver {
  readonly #recorder: Recorder;
  readonly #group: string;
  /** By letter. */
  readonly #messages = new Map<string, string>();

  constructor(recorder: Recorder, group: string) {
    this.#recorder = recorder;
    this.#group = group;
  }

  /** A message is on record before it is written. */
  readonly tamper = (): Tamper => ({
    adapter: (adapter) => ({
      openSender: async (topic) => {
        const sender = await adapter.openSender(topic);
        if (isInbox(topic.name)) return over(sender, { write: this.#redriving(sender) });
        return isLedger(topic.name) ? over(sender, { write: this.#removing(sender) }) : sender;
      },
    }),
  });

  async run(letters: DeadLetters, ratePerSecond: number | undefined): Promise<void> {
    const where = ({ id, messageId }: { readonly id: string; readonly messageId: string }): boolean => {
      this.#messages.set(id, messageId);
      return true;
    };
    await letters.redrive({ where }, ratePerSecond === undefined ? {} : { ratePerSecond });
  }

  #redriving(sender: Sender): Sender['write'] {
    return (lane, records) => {
      for (const { id } of records) this.#recorder.letter(this.#group, { id, change: 'redriving' });
      return sender.write(lane, records);
    };
  }

  #removing(sender: Sender): Sender['write'] {
    return async (lane, records) => {
      const results = await sender.write(lane, records);
      for (const [i, record] of records.entries()) this.#removed(record, results[i]);
      this.#recorder.flush();
      return results;
    };
  }

  #removed({ id: letter, headers }: OutgoingRecord, result: WriteResult | undefined): void {
    const id = this.#messages.get(letter);
    if (headers?.[REMOVED] === undefined || id === undefined || result?.status !== 'stored') return;
    this.#recorder.letter(this.#group, { id, letter, change: 'removed' });
  }
}

/** Puts on record which letters there are. */
export async function list(letters: DeadLetters, recorder: Recorder): Promise<void> {
  let count = 0;
  for await (const { id: letter, messageId: id } of letters.list()) {
    recorder.letter(letters.group, { id, letter, change: 'listed' });
    count += 1;
  }
  recorder.listing(letters.group, count);
}
