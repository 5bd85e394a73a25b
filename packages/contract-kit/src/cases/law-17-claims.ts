import assert from 'node:assert/strict';
import { bytes, defineTopic, type Messaging, MessagingError, type Topic } from '@anymq/core';
import type { CapabilityId, ConfiguredAdapter } from '@anymq/core/adapter';
import { z } from 'zod';
import { law } from '../case.js';
import { type Item, items } from '../context.js';

export const law17claims = law(
  17,
  [],
  [
    {
      id: 'ER9',
      title: 'in a run without faults nothing is logged above info',
      async run(t) {
        const loud: string[] = [];
        const quiet = (): void => {};
        const note = (message: string): void => {
          loud.push(message);
        };
        const messaging = await t.messaging({ logger: { debug: quiet, info: quiet, warn: note, error: note } });
        const topic = t.keyed();
        const received = t.received();
        const consumer = messaging.consumer({ group: 'g' });
        consumer.subscribe(topic, received.handler());
        await consumer.start();
        await received.all(await t.send(messaging, topic, items(50, 10)));
        await messaging.close();
        assert.deepEqual(loud, []);
      },
    },
    {
      id: 'AD1',
      title: 'a topic is made once, by whoever comes first, many at once too',
      async run(t) {
        const name = t.name('topic');
        const messagings = await Promise.all([t.messaging(), t.messaging(), t.messaging()]);
        const send = (messaging: Messaging, topic: Topic<Item, Item>) =>
          messaging.producer().send(topic, { key: 'a', n: 1 });
        await Promise.all(messagings.map((messaging) => send(messaging, t.keyed(name))));
        const received = t.received();
        await t.member('g', t.keyed(name), received);
        await received.until(3);
      },
    },
    {
      id: 'AD2',
      title:
        'told to create nothing, a missing topic is NOT_FOUND at once, to send to and to subscribe, and stays missing',
      needs: ['given-topology'],
      async run(t) {
        const topic = t.keyed();
        const checking = await t.messagingOn(t.checking());
        const refused = { code: 'NOT_FOUND', retryable: false };
        const begin = performance.now();
        for (const _ of ['at first', 'and again'])
          await assert.rejects(checking.producer().send(topic, { key: 'a', n: 1 }), refused);
        const early = checking.consumer({ group: 'g' });
        early.subscribe(topic, () => {});
        await assert.rejects(early.start(), refused);
        const tookMs = performance.now() - begin;
        assert.ok(tookMs < 10_000, `it took ${Math.round(tookMs)} ms: a retry loop?`);
        await (await t.member('g', topic, t.received())).close();
        const received = t.received();
        const consumer = checking.consumer({ group: 'g' });
        consumer.subscribe(topic, received.handler());
        await consumer.start();
        await received.all(await t.send(checking, topic, items(10, 3)));
      },
    },
    {
      id: 'AD3',
      title: 'a topic that stands with other settings is refused with CONFLICT, and goes on as it is',
      needs: ['topic-settings'],
      async run(t) {
        const name = t.name('topic');
        const received = t.received();
        await t.member('g', t.keyed(name), received);
        const messaging = await t.messaging();
        const other = messaging.producer().send(t.unkeyed(name), { key: 'a', n: 1 });
        await assert.rejects(other, { code: 'CONFLICT', retryable: false });
        await received.all(await t.send(messaging, t.keyed(name), items(5, 2)));
      },
    },
    {
      id: 'CP1',
      title:
        'what a row declares unsupported is refused with UNSUPPORTED and the row’s reason, before anything connects',
      async run(t) {
        const without = (...ids: CapabilityId[]): ConfiguredAdapter => {
          const configured = t.configure();
          const refused = ids.map((id) => [id, { level: 'unsupported', note: `no ${id} here` }]);
          const rows = { ...configured.capabilities.rows, ...Object.fromEntries(refused) };
          return { ...configured, capabilities: { ...configured.capabilities, rows } };
        };
        const lean = defineTopic(t.name('lean'), { schema: z.unknown(), history: 'none' });
        const messaging = await t.messagingOn(without('key-order', 'no-history', 'start-earliest', 'start-latest'));
        const consumer = messaging.consumer({ group: 'g' });
        const refusal = (id: string) => (error: unknown) =>
          error instanceof MessagingError && error.code === 'UNSUPPORTED' && error.message.includes(`no ${id} here`);
        await assert.rejects(messaging.producer().send(t.keyed(), { key: 'a', n: 1 }), refusal('key-order'));
        await assert.rejects(messaging.producer().send(lean, 1), refusal('no-history'));
        assert.throws(() => consumer.subscribe(t.keyed(), () => {}), refusal('key-order'));
        const [early, late] = [{ startFrom: 'earliest' }, { startFrom: 'latest' }] as const;
        assert.throws(() => consumer.subscribe(t.unkeyed(), () => {}, early), refusal('start-earliest'));
        assert.throws(() => consumer.subscribe(t.unkeyed(), () => {}, late), refusal('start-latest'));
        assert.equal((await messaging.health()).brokers.main?.state, 'idle', 'nothing has touched the network');
      },
    },
    {
      id: 'ER3',
      title: 'the same fault has the same code, and says the same of trying again, on every engine',
      async run(t) {
        const messaging = await t.messaging();
        const [keyed, name] = [t.keyed(), t.name('group')];
        const producer = messaging.producer();
        await producer.send(keyed, { key: 'a', n: 1 });
        const closed = messaging.producer();
        await closed.close();
        const away = await t.messagingOn(t.unreachable(), { connectTimeoutMs: 400 });
        const waiting = await t.messagingOn(t.unreachable());
        const member = (await t.messaging()).consumer({ group: name });
        member.subscribe(keyed, () => {}, { startFrom: 'earliest' });
        await member.start();
        const other = (await t.messaging()).consumer({ group: name });
        other.subscribe(keyed, () => {}, { startFrom: 'latest' });
        const { maxBodyBytes } = t.capabilities.limits;
        const raw = defineTopic(t.name('raw'), { schema: z.unknown(), codec: bytes() });
        const item = { key: 'a', n: 1 };
        const faults: readonly [MessagingError['code'], boolean, () => Promise<unknown>][] = [
          ['INVALID_VALUE', false, () => producer.send(keyed, { key: 'a', n: 'one' as never })],
          ['INVALID_ARGUMENT', false, () => producer.send(keyed, item, { id: '' })],
          ['TOO_LARGE', false, () => producer.send(raw, new Uint8Array(maxBodyBytes + 1))],
          ['CLOSED', false, () => closed.send(keyed, item)],
          ['ABORTED', false, () => producer.send(keyed, item, { signal: AbortSignal.abort() })],
          ['TIMEOUT', true, () => waiting.producer().send(keyed, item, { timeoutMs: 200 })],
          ['UNAVAILABLE', true, () => away.connect()],
          ['CONFLICT', false, () => other.start()],
        ];
        for (const [code, retryable, make] of faults) {
          const error = await make().then(
            () => assert.fail(`no ${code}`),
            (thrown: MessagingError) => thrown,
          );
          assert.ok(error instanceof MessagingError, `${code}: ${String(error)}`);
          const { indeterminate } = error;
          assert.deepEqual(
            { code: error.code, retryable: error.retryable, indeterminate },
            { code, retryable, indeterminate: false },
          );
        }
      },
    },
  ],
);
