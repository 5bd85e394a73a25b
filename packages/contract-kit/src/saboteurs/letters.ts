import type { OutgoingRecord, Sender, WriteResult } from '@anymq/core/adapter';
import { outgoing } from './records.js';
import { type Saboteur, saboteur } from './saboteur.js';

const STORED: WriteResult = Object.freeze({ status: 'stored' });
const PREFIX = 'anymq-dead-letter-';
const isLetter = ({ headers = {} }: OutgoingRecord): boolean => Object.hasOwn(headers, `${PREFIX}id`);

/** What goes wrong with what was given up. */
export const letters: readonly Saboteur[] = [
  saboteur(
    {
      name: 'keeps-no-letters',
      laws: [8],
      does: 'says that a dead letter is stored, and does not write it',
      seen: 'what was given up is nowhere',
      killedBy: ['DL1', 'DL13'],
    },
    () => ({
      sender: (sender) => ({
        write: (lane, records) =>
          records.some(isLetter) ? Promise.resolve(records.map(() => STORED)) : sender.write(lane, records),
      }),
    }),
  ),
  saboteur(
    {
      name: 'writes-letters-twice',
      laws: [8],
      does: 'writes each dead letter two times',
      seen: 'a repair is done twice',
      killedBy: ['DL1'],
    },
    () => ({
      sender: (sender) => ({
        write: async (lane, records) => {
          const results = await sender.write(lane, records);
          const again = records.filter(isLetter);
          if (again.length > 0) await sender.write(lane, again);
          return results;
        },
      }),
    }),
  ),
  saboteur(
    {
      name: 'forgets-the-cause',
      laws: [8],
      does: 'leaves out the headers of a dead letter that say why it is one',
      seen: 'nobody knows which group gave a message up, or why',
      killedBy: ['DL3', 'DL14'],
    },
    () =>
      outgoing((record) => {
        if (!isLetter(record)) return undefined;
        const own = Object.entries(record.headers ?? {}).filter(([name]) => !name.startsWith(PREFIX));
        return { headers: Object.fromEntries(own) };
      }),
  ),
  saboteur(
    {
      name: 'gives-letters-one-key',
      laws: [8],
      does: 'writes all dead letters with the same key',
      seen: 'what is sent again from a letter comes out of its order',
      killedBy: ['DL2'],
    },
    () => outgoing((record) => (isLetter(record) && record.key !== undefined ? { key: 'dead' } : undefined)),
  ),
  saboteur(
    {
      name: 'swallows-a-missing-dead-letter-topic',
      laws: [8],
      does: 'takes messages for a topic that does not exist, and says that they are stored',
      seen: 'a mistyped dead-letter topic loses everything that is given up',
      killedBy: ['DL4', 'DL24'],
    },
    () => ({
      adapter: (adapter) => ({
        openSender: (topic) =>
          adapter.openSender(topic).catch(
            (): Sender => ({
              limits: { writes: 1, records: 100, bytes: 1_000_000 },
              laneOf: () => 0,
              write: async (_, records) => records.map(() => STORED),
              close: async () => {},
            }),
          ),
      }),
    }),
  ),
];
