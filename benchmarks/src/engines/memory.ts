import { randomUUID } from 'node:crypto';
import type { EngineBench } from '../bench.js';
import { BACKLOG, type Contestant, type OrderHandler, type Outgoing, RETRIES } from '../contestant.js';
import { decoded, encoded, type Order } from '../order.js';
import { anymq, failing, LEAN, poisoned } from './anymq.js';

/** What every message costs without any messaging: an id, the schema twice, JSON both ways, the handler. */
const codec: Contestant = {
  name: 'bare codec',
  about: 'an id, schema, JSON.stringify, JSON.parse, schema, handler; nothing else',
  async open() {
    let handle: OrderHandler = () => {};
    const through = (order: Order): void => {
      randomUUID();
      void handle(decoded(encoded(order)));
    };
    const outgoing: Outgoing = {
      async pump(next, confirmed) {
        for (let order = next(); order !== undefined; order = next()) {
          through(order);
          confirmed(1);
        }
      },
      async one(order) {
        through(order);
      },
    };
    return {
      async prepare() {},
      outgoing: async () => outgoing,
      async receive(handler) {
        handle = handler;
      },
      async close() {},
    };
  },
};

/** There is no network to hide, and what is open lives through young collections: a thousand cost 2 us a message more than this. */
const WINDOW = 100;
const ours = anymq({ name: 'AnyMQ', window: WINDOW });
const lean = anymq({ ...LEAN, window: WINDOW });

export const bench: EngineBench = {
  durability: 'none: memory of the process',
  contests: [
    { work: 'send', title: 'send to handled', contestants: [codec, lean, ours], stage: 'through' },
    { work: 'cost', title: 'own cost', contestants: [lean, ours], beside: codec },
    { work: 'backlog', contestants: [ours], stage: 'inside', fill: [BACKLOG], rounds: 1 },
    { work: 'poison', contestants: [ours, poisoned], keyed: true },
    { work: 'retry', contestants: [ours, failing], keyed: true, stage: 'inside', fill: [RETRIES, RETRIES] },
    { work: 'delay', contestants: [ours], keyed: true },
  ],
  remove: async () => {},
};
