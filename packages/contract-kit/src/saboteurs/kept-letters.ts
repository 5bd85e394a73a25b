import type { OutgoingRecord } from '@anymq/core/adapter';
import { losing, noting, writingTo } from './parcels.js';
import { oneIn, outgoing } from './records.js';
import { type Saboteur, saboteur } from './saboteur.js';

const isLedger = (topic: string): boolean => topic.startsWith('anymq.dead.');
const isLetter = ({ headers = {} }: OutgoingRecord): boolean => Object.hasOwn(headers, 'anymq-dead-letter-id');
const isRemoval = ({ headers = {} }: OutgoingRecord): boolean => Object.hasOwn(headers, 'anymq-removed');

/** What goes wrong with the letters that a group keeps. */
export const keptLetters: readonly Saboteur[] = [
  saboteur(
    {
      name: 'doubles-kept-letters',
      laws: [8],
      does: 'writes each kept letter once more, under another name',
      seen: 'twice as many dead letters as messages, and each redriven twice',
      killedBy: ['DL13', 'DL22'],
    },
    () =>
      writingTo(isLedger, (sender) => ({
        write: async (lane, records) => {
          const results = await sender.write(lane, records);
          const again = records.filter(isLetter).map((one) => ({ ...one, id: `${one.id}-2`, key: `${one.key}-2` }));
          if (again.length > 0) await sender.write(lane, again);
          return results;
        },
      })),
  ),
  saboteur(
    {
      name: 'loses-a-kept-letter',
      laws: [8],
      does: 'says of every twentieth kept letter that it is stored, and does not write it',
      seen: 'a message that was given up is nowhere',
      killedBy: ['DL22', 'DL10'],
    },
    () => {
      const due = oneIn(20);
      return writingTo(
        isLedger,
        losing((record) => isLetter(record) && due()),
      );
    },
  ),
  saboteur(
    {
      name: 'cuts-kept-letters',
      laws: [8],
      does: 'keeps the first 100 bytes of a letter',
      seen: 'what is redriven cannot be read',
      killedBy: ['DL15', 'DL32'],
    },
    () => outgoing((record) => (isLetter(record) ? { body: record.body.subarray(0, 100) } : undefined)),
  ),
  saboteur(
    {
      name: 'loses-removals',
      laws: [9],
      does: 'says that a letter is removed, and keeps it',
      seen: 'what was redriven is redriven again; what was purged is there',
      killedBy: ['DL29', 'DL7', 'DL37'],
    },
    () => writingTo(isLedger, losing(isRemoval)),
  ),
  saboteur(
    {
      name: 'forgets-cycles',
      laws: [9],
      does: 'does not write how often a message was redriven',
      seen: 'a message is redriven and given up for ever',
      killedBy: ['DL9'],
    },
    () => noting(({ cycles: _, ...note }) => note),
  ),
  saboteur(
    {
      name: 'reads-all-but-one-in-a-hundred',
      laws: [9],
      does: 'leaves out every hundredth record that it reads',
      seen: 'a dead letter that nobody finds',
      killedBy: ['DL10', 'DL22'],
    },
    () => {
      const due = oneIn(100);
      return { reader: ({ sink }) => ({ sink: { read: (records) => sink.read(records.filter(() => !due())) } }) };
    },
  ),
  saboteur(
    {
      name: 'consumes-what-it-reads',
      laws: [9],
      does: 'gives no record to a reader that it gave to another one before',
      seen: 'dead letters vanish when somebody looks at them',
      killedBy: ['DL10', 'DL26'],
    },
    () => {
      const gone = new Set<string>();
      const isNew = (topic: string, position: string): boolean => gone.size !== gone.add(`${topic} ${position}`).size;
      return {
        reader: ({ topic, sink }) => ({
          sink: { read: (records) => sink.read(records.filter(({ position }) => isNew(topic.name, position))) },
        }),
      };
    },
  ),
  saboteur(
    {
      name: 'reads-out-of-order',
      laws: [9],
      does: 'hands over in reverse what it read at once',
      seen: 'the oldest letters are not the first, and what was removed is there again',
      killedBy: ['DL10', 'DL34'],
    },
    () => ({ reader: ({ sink }) => ({ sink: { read: (records) => sink.read([...records].reverse()) } }) }),
  ),
  saboteur(
    {
      name: 'says-there-is-no-such-topic',
      laws: [9],
      does: 'says of every topic that nobody has created it',
      seen: 'no dead letter is found, and what was redriven never comes',
      killedBy: ['DL13', 'DL10'],
    },
    () => ({ adapter: () => ({ exists: async () => false }) }),
  ),
  saboteur(
    {
      name: 'says-there-is-every-topic',
      laws: [9],
      does: 'says of every topic that somebody has created it',
      seen: 'looking for dead letters leaves topics behind for groups that there never were',
      killedBy: ['DL31'],
    },
    () => ({ adapter: () => ({ exists: async () => true }) }),
  ),
];
