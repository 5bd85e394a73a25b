import type { IncomingRecord, OutgoingRecord, WriteResult } from '@anymq/core/adapter';
import type { Tamper } from '../tamper.js';
import { oneIn, outgoing } from './records.js';
import { type Saboteur, saboteur } from './saboteur.js';

const STORED: WriteResult = Object.freeze({ status: 'stored' });
const PARCEL = 'anymq-parcel';
const DECISION = 'anymq-decision';
const LINES = 'anymq.delay.';

interface Note {
  readonly delay?: { readonly deliverAt?: number; readonly sentAt?: number };
}

/** Delayed messages are written with another note. */
const noted = (change: (note: Note) => Note): Tamper =>
  outgoing(({ headers }) => {
    const text = headers?.[PARCEL];
    const note = text === undefined ? undefined : (JSON.parse(text) as Note);
    return note?.delay === undefined ? undefined : { headers: { ...headers, [PARCEL]: JSON.stringify(change(note)) } };
  });

/** Messages are delayed until another time. */
const delayed = (change: (deliverAt: number) => number): Tamper =>
  noted((note) => ({ ...note, delay: { ...note.delay, deliverAt: change(note.delay?.deliverAt ?? 0) } }));

const isDelayed = ({ headers }: OutgoingRecord): boolean => headers?.[PARCEL]?.includes('"deliverAt"') ?? false;

/** What goes wrong with what is due later. */
export const delays: readonly Saboteur[] = [
  saboteur(
    {
      name: 'delivers-early',
      laws: [10],
      does: 'cuts the last 200 ms off every delay',
      seen: 'an order expires although its customer still had time',
      killedBy: ['DE1'],
    },
    () => delayed((deliverAt) => deliverAt - 200),
  ),
  saboteur(
    {
      name: 'clamps-long-delays',
      laws: [10],
      does: 'delays nothing by more than a second and a half',
      seen: 'a reminder for tomorrow comes now',
      killedBy: ['DE3', 'DE15'],
    },
    () => delayed((deliverAt) => Math.min(deliverAt, Date.now() + 1_500)),
  ),
  saboteur(
    {
      name: 'loses-a-delayed-message',
      laws: [10],
      does: 'says of every fiftieth delayed message that it is stored, and does not write it',
      seen: 'a time-out never fires, and nobody knows why',
      killedBy: ['DE10'],
    },
    () => {
      const due = oneIn(50);
      return {
        sender: (sender) => ({
          write: (lane, records) => {
            const lost = records.map((record) => isDelayed(record) && due());
            if (!lost.includes(true)) return sender.write(lane, records);
            return Promise.all(
              records.map(async (record, i) =>
                lost[i] ? STORED : ((await sender.write(lane, [record]))[0] as WriteResult),
              ),
            );
          },
        }),
      };
    },
  ),
  saboteur(
    {
      name: 'forgets-what-waits-when-it-leaves',
      laws: [10],
      does: 'settles, when it leaves, the delayed messages that it holds',
      seen: 'after a deployment nothing that was scheduled before ever happens',
      killedBy: ['DE4'],
    },
    () => ({
      member: ({ spec, sink, receiver }) => {
        if (!spec.topic.name.startsWith(LINES)) return {};
        const held = new Set<IncomingRecord>();
        return {
          sink: {
            deliver: (records) => {
              for (const record of records) held.add(record);
              sink.deliver(records);
            },
          },
          receiver: {
            close: () => {
              receiver().settle([...held]);
              return receiver().close();
            },
          },
        };
      },
    }),
  ),
  saboteur(
    {
      name: 'forgets-cancellations',
      laws: [10],
      does: 'does not read again what was decided before it came',
      seen: 'what was cancelled happens after all, when a process was restarted in between',
      killedBy: ['DE15'],
    },
    () => ({
      reader: ({ from, sink }) => ({
        sink: {
          read: (records) =>
            sink.read(from === 'latest' ? records : records.filter(({ headers }) => headers?.[DECISION] === undefined)),
        },
      }),
    }),
  ),
  saboteur(
    {
      name: 'always-says-cancelled',
      laws: [10],
      does: 'answers every wish to cancel a message with yes',
      seen: 'a payment is not refused, because its expiry was said to be cancelled',
      killedBy: ['DE5', 'DE18'],
    },
    () =>
      outgoing(({ headers }) => {
        const text = headers?.[DECISION];
        return text === undefined ? undefined : { headers: { [DECISION]: text.replace('too-late', 'cancelled') } };
      }),
  ),
  saboteur(
    {
      name: 'never-tells-a-cancellation',
      laws: [10],
      does: 'keeps what is decided about cancelling to itself',
      seen: 'cancel() says INDETERMINATE after half a minute, whenever it is asked',
      killedBy: ['DE5'],
    },
    () => ({ reader: ({ from }) => (from === 'latest' ? { sink: { read: async () => {} } } : {}) }),
  ),
  saboteur(
    {
      name: 'blocks-short-delays-behind-long-ones',
      laws: [10],
      does: 'hands out the next delayed message when the one before has gone',
      seen: 'a delay of a second takes as long as the longest that was sent before it',
      killedBy: ['DE3'],
    },
    () => ({
      member: ({ spec, sink, receiver }) => {
        if (!spec.topic.name.startsWith(LINES)) return {};
        const queue: IncomingRecord[] = [];
        let busy = false;
        const next = (): void => {
          const record = busy ? undefined : queue.shift();
          if (record === undefined) return;
          busy = true;
          sink.deliver([record]);
        };
        return {
          sink: {
            deliver: (records) => {
              queue.push(...records);
              next();
            },
          },
          receiver: {
            settle: (records) => {
              receiver().settle(records);
              busy = false;
              next();
            },
          },
        };
      },
    }),
  ),
  saboteur(
    {
      name: 'reverses-what-is-due-at-once',
      laws: [10, 6],
      does: 'hands out delayed messages of one moment in the reverse order',
      seen: 'two changes of one order that were scheduled for midnight are applied the wrong way round',
      killedBy: ['DE11'],
    },
    () => noted((note) => ({ ...note, delay: { ...note.delay, sentAt: -Math.abs(note.delay?.sentAt ?? 0) } })),
  ),
  saboteur(
    {
      name: 'delays-without-the-headers',
      laws: [10, 2],
      does: 'leaves out the headers of what it delays',
      seen: 'trace and tenant of a scheduled message are gone',
      killedBy: ['DE13'],
    },
    () =>
      outgoing((record) => (isDelayed(record) ? { headers: { [PARCEL]: record.headers?.[PARCEL] ?? '' } } : undefined)),
  ),
  saboteur(
    {
      name: 'creates-lines-for-everybody',
      laws: [10],
      does: 'creates what delays need as soon as it connects',
      seen: 'topics that nobody asked for, in a broker whose topics somebody must approve',
      killedBy: ['DE17'],
    },
    () => ({
      adapter: (adapter) => ({
        connect: async (signal) => {
          await adapter.connect(signal);
          const plain = { type: 'parcel', contentType: 'application/octet-stream', envelope: 'lean' } as const;
          const gate = { ...plain, name: `${LINES}gate`, keyed: true, oneLane: true, history: 'none' } as const;
          await (await adapter.openSender(gate)).close();
        },
      }),
    }),
  ),
];
