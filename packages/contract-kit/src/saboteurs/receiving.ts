import type { IncomingRecord } from '@anymq/core/adapter';
import { incoming, oneIn } from './records.js';
import { type Saboteur, saboteur } from './saboteur.js';

/** What goes wrong between the broker and a handler, and back. */
export const receiving: readonly Saboteur[] = [
  saboteur(
    {
      name: 'skips-one-in-a-thousand',
      laws: [3],
      does: 'settles every thousandth record without delivering it',
      seen: 'a message is missing now and then, and the lag says that it was handled',
      killedBy: ['SB1'],
    },
    () => {
      const due = oneIn(1_000);
      return {
        member: ({ sink, receiver }) => ({
          sink: {
            deliver: (records) => {
              const skipped = records.filter(due);
              const kept = records.filter((record) => !skipped.includes(record));
              if (kept.length > 0) sink.deliver(kept);
              if (skipped.length > 0) receiver().settle(skipped);
              for (const { body } of skipped) receiver().credit(1, body.length);
            },
          },
        }),
      };
    },
  ),
  saboteur(
    {
      name: 'delivers-one-in-a-thousand-twice',
      laws: [3],
      does: 'delivers every thousandth record twice',
      seen: 'a handler gets a message twice, without any fault',
      killedBy: ['SB1'],
    },
    () => {
      const due = oneIn(1_000);
      return {
        member: ({ sink, masks }) => ({
          sink: {
            deliver: (records) =>
              sink.deliver(records.flatMap((record) => (due() ? [record, masks.phantom(record)] : [record]))),
          },
        }),
      };
    },
  ),
  saboteur(
    {
      name: 'keeps-what-it-delivered',
      laws: [15],
      does: 'remembers every record that it has delivered',
      seen: 'a service that needs more memory every hour, until it is killed',
      killedBy: ['LK6'],
    },
    () => {
      const kept: IncomingRecord[] = [];
      return {
        member: ({ sink }) => ({
          sink: {
            deliver: (records) => {
              kept.push(...records);
              sink.deliver(records);
            },
          },
        }),
      };
    },
  ),
  saboteur(
    {
      name: 'settles-before-the-handler',
      laws: [3],
      does: 'settles a record as soon as it delivers it',
      seen: 'what a consumer had in hand when it crashed is lost',
      killedBy: ['AK8', 'SD2', 'AK10'],
    },
    () => ({
      member: ({ sink, receiver }) => ({
        sink: {
          deliver: (records) => {
            receiver().settle(records);
            sink.deliver(records);
          },
        },
      }),
    }),
  ),
  saboteur(
    {
      name: 'settles-everything-before',
      laws: [3],
      does: 'settles, with a record, all that it delivered before it',
      seen: 'what hangs in a handler is lost at the next restart',
      killedBy: ['AK8'],
    },
    () => {
      const delivered: IncomingRecord[] = [];
      return {
        member: ({ sink, receiver }) => ({
          sink: {
            deliver: (records) => {
              delivered.push(...records);
              sink.deliver(records);
            },
          },
          receiver: {
            settle: (records) => {
              const last = Math.max(...records.map((record) => delivered.indexOf(record)));
              receiver().settle([...delivered.splice(0, last + 1), ...records]);
            },
          },
        }),
      };
    },
  ),
  saboteur(
    {
      name: 'forgets-a-settlement',
      laws: [3],
      does: 'does not tell the broker one of twenty settlements',
      seen: 'messages that were handled long ago come again after a restart',
      killedBy: ['AK1'],
    },
    () => {
      const due = oneIn(20);
      return {
        member: ({ receiver }) => ({
          receiver: { settle: (records) => receiver().settle(records.filter(() => !due())) },
        }),
      };
    },
  ),
  saboteur(
    {
      name: 'loses-the-last-settlements',
      laws: [4, 15],
      does: 'gathers settlements for 100 ms, and does not write the last of them when it leaves',
      seen: 'every deployment repeats the last messages',
      killedBy: ['AK1', 'SD1'],
    },
    () => {
      let closed = false;
      return {
        member: ({ receiver, runtime }) => ({
          receiver: {
            settle: (records) => void runtime.clock.setTimer(100, () => closed || receiver().settle(records)),
            close: () => {
              closed = true;
              return receiver().close();
            },
          },
        }),
      };
    },
  ),
  saboteur(
    {
      name: 'resets-the-attempt',
      laws: [7],
      does: 'counts attempts anew for every consumer',
      seen: 'a poisonous message is tried for ever',
      killedBy: ['AK10'],
    },
    () => incoming(() => ({ attempts: 0 })),
  ),
  saboteur(
    {
      name: 'never-says-redelivered',
      laws: [3],
      does: 'delivers what came before as if it were new',
      seen: 'a handler does not look whether it did the work already',
      killedBy: ['AK8', 'SD2'],
    },
    () => incoming(() => ({ redelivered: false })),
  ),
  saboteur(
    {
      name: 'ignores-max-in-flight',
      laws: [14],
      does: 'delivers twice the records it has credit for',
      seen: 'memory use above what was configured',
      killedBy: ['BP1'],
    },
    () => ({
      member: ({ receiver }) => ({
        receiver: { credit: (records, bytes) => receiver().credit(2 * records, bytes) },
      }),
    }),
  ),
  saboteur(
    {
      name: 'ignores-max-in-flight-bytes',
      laws: [14],
      does: 'does not count the bytes of what it delivers',
      seen: 'a service runs out of memory when messages are large',
      killedBy: ['BP8'],
    },
    () => ({
      member: ({ receiver }) => ({ receiver: { credit: (records, bytes) => receiver().credit(records, 10 * bytes) } }),
    }),
  ),
  saboteur(
    {
      name: 'tells-no-lag',
      laws: [16],
      does: 'says that the lag is 0',
      seen: 'nobody is alarmed while a backlog grows',
      killedBy: ['AD4'],
    },
    () => ({ member: () => ({ receiver: { lag: async () => 0 } }) }),
  ),
];
