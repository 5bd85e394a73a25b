import { bytes, defineTopic } from '@anymq/core';
import { z } from 'zod';
import type { CaseContext } from '../context.js';

/** A topic of bytes as they are. */
export const raw = (t: CaseContext, options = {}) =>
  defineTopic(t.name('raw'), { schema: z.instanceof(Uint8Array), codec: bytes(), ...options });

/** A member on a topic of raw bytes, and what it received. */
export async function rawPair(t: CaseContext) {
  const topic = raw(t);
  const messaging = await t.messaging();
  const received = t.received<Uint8Array>();
  const consumer = (await t.messaging()).consumer({ group: 'g' });
  consumer.subscribe(topic, received.handler());
  await consumer.start();
  return { topic, messaging, producer: messaging.producer(), received };
}
