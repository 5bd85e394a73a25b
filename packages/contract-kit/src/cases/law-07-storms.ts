import assert from 'node:assert/strict';
import { fixed, type Messaging, type SubscribeOptions, type Subscription } from '@anymq/core';
import type { ConfiguredAdapter } from '@anymq/core/adapter';
import { law } from '../case.js';
import { type CaseContext, type Item, items } from '../context.js';
import type { Received } from '../received.js';
import { over, tampered } from '../tamper.js';
import { failsOnce, release, SLOW_MS, worker } from './giving-up.js';

const MESSAGES = 10_000;
const KEYS = 250;
/** Sends under way at once. */
const PART = 1_000;
/** Of {@link CaseContext.quiet}. */
const SENTINELS = 32;
const [IN_FLIGHT, HELD] = [100, 60];
/** A part of the first is the inbox's, and not taken from what was given before there was one. */
const UNSETTLED = IN_FLIGHT + HELD + IN_FLIGHT / 4;
/** Records that one release costs at most: the copy where delayed messages wait, from there to the gate, and to the group's inbox. */
const COPIES = 3;
/** Beside these a marker for each period of ownership of the gate, and what a broker that was busy may have been sent again. */
const OTHERS = MESSAGES / 10;
/** Records of core's own under way at once: what is unsettled, and what the lines pass on within their window. */
const WRITING = UNSETTLED + 5_000;

/** What an adapter was asked for beside the sends of the user. */
interface Asked {
  /** Records for topics of core's own. */
  written: number;
  /** Of these, the most under way at once. */
  mostWriting: number;
  held: number;
  settled: number;
}

/** An adapter that counts what it is asked for. */
function counting(configured: ConfiguredAdapter): { readonly adapter: ConfiguredAdapter; readonly asked: Asked } {
  const asked: Asked = { written: 0, mostWriting: 0, held: 0, settled: 0 };
  let writing = 0;
  const adapter = tampered(configured, () => ({
    adapter: (own) => ({
      openSender: async (topic) => {
        const sender = await own.openSender(topic);
        if (!topic.name.startsWith('anymq.')) return sender;
        return over(sender, {
          write: async (lane, records) => {
            asked.written += records.length;
            writing += records.length;
            asked.mostWriting = Math.max(asked.mostWriting, writing);
            const results = await sender.write(lane, records);
            writing -= records.length;
            return results;
          },
        });
      },
    }),
    member: ({ receiver }) => ({
      receiver: {
        settle: (records) => {
          asked.settled += records.length;
          receiver().settle(records);
        },
        hold: (record, attempts) => {
          asked.held += 1;
          receiver().hold(record, attempts);
        },
      },
    }),
  }));
  return { adapter, asked };
}

/** Everything fails once. */
async function storm(t: CaseContext, retry: NonNullable<SubscribeOptions['retry']>): Promise<Asked> {
  const topic = t.keyed();
  const warnings: string[] = [];
  const warned = ({ name }: Error): void => void warnings.push(name);
  process.on('warning', warned);
  const { adapter, asked } = counting(t.configure());
  const seen: { subscription?: Subscription; most: number } = { most: 0 };
  const { received, subscription } = await worker(t, topic, {
    adapter,
    work: (delivery) => {
      seen.most = Math.max(seen.most, seen.subscription?.inFlight ?? 0);
      failsOnce(delivery);
    },
    options: { maxInFlight: IN_FLIGHT, concurrency: 16, retry: { ...retry, maxHeld: HELD } },
  });
  seen.subscription = subscription;
  const sending = await t.messaging();
  const ids = await sendAll(t, sending, topic);
  await received.until(2 * MESSAGES);
  await t.quiet(sending, topic, received);
  process.off('warning', warned);
  assert.deepEqual(warnings, [], 'warnings of the process');
  assertTwice(ids, received);
  assert.ok(seen.most <= UNSETTLED, `${seen.most} were unsettled at once, and the limits say ${UNSETTLED}`);
  return asked;
}

/** In parts: beside what they set going a broker may take longer for all of them than a send may. */
async function sendAll(
  t: CaseContext,
  messaging: Messaging,
  topic: ReturnType<CaseContext['keyed']>,
): Promise<string[]> {
  const all = items(MESSAGES, KEYS);
  const ids: string[] = [];
  for (let from = 0; from < MESSAGES; from += PART)
    ids.push(...(await t.send(messaging, topic, all.slice(from, from + PART))));
  return ids;
}

function assertTwice(ids: readonly string[], { calls }: Pick<Received<Item>, 'calls'>): void {
  const attempts = new Map<string, number[]>(ids.map((id) => [id, []]));
  for (const { delivery } of calls) attempts.get(delivery.id)?.push(delivery.attempt);
  const wrong = [...attempts].filter(([, of]) => of.join() !== '1,2');
  assert.deepEqual(wrong, [], 'attempts that are not 1, 2');
}

export const law07storms = law(
  7,
  ['redelivery'],
  [
    {
      id: 'RT10',
      title:
        '10,000 messages that each fail once: two calls for each, no more unsettled than the limits say, and no more written than their copies',
      needs: ['release'],
      alone: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const { written, mostWriting, held } = await storm(t, release(200));
        assert.ok(written <= COPIES * MESSAGES + OTHERS, `${written} records were written for ${MESSAGES} retries`);
        assert.ok(mostWriting <= WRITING, `${mostWriting} records were under way at once`);
        assert.equal(held, 0, 'what is released is not held');
      },
    },
    {
      id: 'RT29',
      title:
        '10,000 messages that each fail once while their keys wait: two calls for each, within the limits, and nothing is written',
      needs: ['key-order'],
      alone: true,
      timeoutMs: SLOW_MS,
      async run(t) {
        const { written, held, settled } = await storm(t, { backoff: fixed(20) });
        assert.deepEqual([written, held, settled], [0, MESSAGES, MESSAGES + SENTINELS]);
      },
    },
  ],
);
