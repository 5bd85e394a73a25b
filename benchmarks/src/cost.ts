import type { Opened, OrderHandler, Outgoing } from './contestant.js';
import type { Figures } from './meter.js';
import { type Order, orderOf } from './order.js';

/** Messages of one contestant before the other has its turn: some 30 ms, and two or three young collections. */
const SLICE = 3_000;
/** Until all code is optimised, and the history is full. */
const WARM_UP = 40;
const SLICES = 150;

/** What a number of messages took. */
interface Taken {
  micros: number;
  cpuMicros: number;
}

/**
 * What sending and handling costs above what `beside` does with the same messages, in slices that alternate in one process. A busy machine
 * changes its pace by a half from one minute to the next, which is more than what is asked for here; both have the same pace.
 */
export async function cost(opened: Opened, { beside }: { readonly beside?: Opened | undefined }): Promise<Figures> {
  if (beside === undefined) throw new Error('there is nobody to compare it with');
  const slices = [await slicesOf(beside), await slicesOf(opened)] as const;
  for (let i = 0; i < WARM_UP; i++) for (const slice of slices) await slice();
  const [base, own] = [nothing(), nothing()];
  for (let i = 0; i < SLICES; i++) {
    add(base, await slices[0]());
    add(own, await slices[1]());
  }
  const messages = SLICE * SLICES;
  return {
    messages,
    seconds: own.micros / 1e6,
    cpuMicros: own.cpuMicros / messages,
    own: {
      micros: (own.micros - base.micros) / messages,
      cpuMicros: (own.cpuMicros - base.cpuMicros) / messages,
      besideMicros: base.micros / messages,
    },
  };
}

const nothing = (): Taken => ({ micros: 0, cpuMicros: 0 });

function add(sum: Taken, { micros, cpuMicros }: Taken): void {
  sum.micros += micros;
  sum.cpuMicros += cpuMicros;
}

async function slicesOf(opened: Opened): Promise<() => Promise<Taken>> {
  let left = 0;
  let handled = (): void => {};
  const handler: OrderHandler = () => {
    left -= 1;
    if (left === 0) handled();
  };
  await opened.receive(handler);
  const outgoing = await opened.outgoing();
  return () => {
    left = SLICE;
    const all = new Promise<void>((resolve) => {
      handled = resolve;
    });
    return taken(outgoing, all);
  };
}

async function taken(outgoing: Outgoing, all: Promise<void>): Promise<Taken> {
  let sequence = 0;
  const next = (): Order | undefined => (sequence < SLICE ? orderOf(sequence++) : undefined);
  const from = process.cpuUsage();
  const start = performance.now();
  await outgoing.pump(next, () => {});
  await all;
  const micros = (performance.now() - start) * 1000;
  const { user, system } = process.cpuUsage(from);
  return { micros, cpuMicros: user + system };
}
