import type { OutgoingRecord, Sender, WriteResult } from '@anymq/core/adapter';
import { over, type Tamper } from '../tamper.js';
import { outgoing } from './records.js';

const HEADER = 'anymq-parcel';

/** What core writes of a message on its way through its own topics: `docs/wire-format.md`. */
interface Note {
  readonly delay?: { readonly deliverAt: number };
  readonly [fact: string]: unknown;
}

/** What core keeps for itself is written with another note. */
export const noting = (change: (note: Note) => Note): Tamper =>
  outgoing(({ headers }) => {
    const text = headers?.[HEADER];
    return text === undefined
      ? undefined
      : { headers: { ...headers, [HEADER]: JSON.stringify(change(JSON.parse(text) as Note)) } };
  });

/** The senders of topics that `which` says yes to are changed. */
export const writingTo = (which: (topic: string) => boolean, change: (sender: Sender) => Partial<Sender>): Tamper => ({
  adapter: (adapter) => ({
    openSender: async (topic) => {
      const sender = await adapter.openSender(topic);
      return which(topic.name) ? over(sender, change(sender)) : sender;
    },
  }),
});

/** Says of some records that they are stored, and does not write them. */
export const losing =
  (lost: (record: OutgoingRecord) => boolean) =>
  (sender: Sender): Partial<Sender> => ({
    write: async (lane, records) => {
      const gone = records.map(lost);
      const kept = records.filter((_, i) => !gone[i]);
      const results = kept.length === 0 ? [] : [...(await sender.write(lane, kept))];
      return gone.map((none) => (none ? STORED : (results.shift() as WriteResult)));
    },
  });

const STORED: WriteResult = Object.freeze({ status: 'stored' });
