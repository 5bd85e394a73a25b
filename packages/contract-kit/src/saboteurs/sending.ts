import type { OutgoingRecord, WriteResult } from '@anymq/core/adapter';
import { answering, oneIn } from './records.js';
import { type Saboteur, saboteur } from './saboteur.js';

const STORED: WriteResult = Object.freeze({ status: 'stored' });
const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;

/** What goes wrong between a send and its answer. */
export const sending: readonly Saboteur[] = [
  saboteur(
    {
      name: 'drops-one-in-a-thousand',
      laws: [1, 3],
      does: 'says that every thousandth record is stored, and does not write it',
      seen: 'a message is missing now and then, although its send resolved',
      killedBy: ['SB1'],
    },
    () => {
      const due = oneIn(1_000);
      return {
        sender: (sender) => ({
          write: async (lane, records) => {
            const dropped = records.map(due);
            const kept = records.filter((_, i) => !dropped[i]);
            const results = kept.length === 0 ? [] : [...(await sender.write(lane, kept))];
            return dropped.map((drop) => (drop ? STORED : (results.shift() as WriteResult)));
          },
        }),
      };
    },
  ),
  saboteur(
    {
      name: 'stores-one-in-a-thousand-twice',
      laws: [3],
      does: 'writes every thousandth record once more',
      seen: 'an order is shipped twice now and then, without any fault',
      killedBy: ['SB1'],
    },
    () => {
      const due = oneIn(1_000);
      return {
        sender: (sender) => ({
          write: async (lane, records) => {
            const results = await sender.write(lane, records);
            const again = records.filter(due);
            if (again.length > 0) await sender.write(lane, again);
            return results;
          },
        }),
      };
    },
  ),
  saboteur(
    {
      name: 'swaps-two-of-a-key',
      laws: [6],
      does: 'writes two records of one key in the wrong order, once in two hundred chances',
      seen: 'an order is paid before it was placed',
      killedBy: ['SB1', 'OR2'],
    },
    () => {
      const due = oneIn(200);
      return {
        sender: (sender) => ({
          write: async (lane, records) => {
            const last = new Map<string | undefined, number>();
            for (const [at, { key }] of records.entries()) {
              const before = last.get(key);
              if (before !== undefined && due())
                return swapped(await sender.write(lane, swapped(records, before, at)), before, at);
              last.set(key, at);
            }
            return sender.write(lane, records);
          },
        }),
      };
    },
  ),
  saboteur(
    {
      name: 'mixes-up-its-answers',
      laws: [1],
      does: 'gives the results of a write in the opposite order',
      seen: 'receipts tell where another message stands',
      killedBy: ['PB7'],
    },
    () => ({
      sender: (sender) => ({ write: async (lane, records) => [...(await sender.write(lane, records))].reverse() }),
    }),
  ),
  saboteur(
    {
      name: 'confirms-too-early',
      laws: [1],
      does: 'says stored before the broker has answered',
      seen: 'confirmed messages are lost when the broker goes away',
      killedBy: ['RC1'],
    },
    () => ({
      sender: (sender) => ({
        write: async (lane, records) => {
          void sender.write(lane, records);
          return records.map(() => STORED);
        },
      }),
    }),
  ),
  saboteur(
    {
      name: 'hides-a-lost-answer-as-failure',
      laws: [1],
      does: 'says that a write whose answer was lost was certainly not stored',
      seen: 'a send rejects as not sent, and its message arrives: sent again by the user, it comes twice',
      killedBy: ['SB4'],
    },
    () => answering((result) => (result.status === 'unknown' ? { ...result, status: 'not-sent' } : result)),
  ),
  saboteur(
    {
      name: 'hides-an-outage-as-success',
      laws: [1],
      does: 'says stored when the connection broke',
      seen: 'what is sent during an outage is lost without a word',
      killedBy: ['RC1'],
    },
    () => ({
      sender: (sender, adapter) => ({
        write: async (lane, records) =>
          (await sender.write(lane, records)).map((result) =>
            result.status !== 'stored' && adapter.classify(result.error).retryable ? STORED : result,
          ),
      }),
    }),
  ),
  saboteur(
    {
      name: 'keeps-silent-about-unroutable',
      laws: [1],
      does: 'says stored when no group gets the message',
      seen: 'messages of a topic without history vanish while nobody is there',
      killedBy: ['PB14'],
    },
    () =>
      answering((result) => (result.status === 'not-sent' && codeOf(result.error) === 'UNROUTABLE' ? STORED : result)),
  ),
];

/** With two entries exchanged. */
function swapped<T extends OutgoingRecord | WriteResult>(list: readonly T[], one: number, other: number): readonly T[] {
  const copy = [...list];
  [copy[one], copy[other]] = [copy[other] as T, copy[one] as T];
  return copy;
}
