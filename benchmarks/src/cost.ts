import type { Opened } from './contestant.js';
import { type Figures, Meter } from './meter.js';
import { orderOf } from './order.js';

/** Messages of one contestant before the other has its turn: some 30 ms, and two or three young collections. */
const SLICE = 3_000;
/** Until all code is optimised, and the history is full. */
const WARM_UP = 40;
const SLICES = 150;

/**
 * What sending and handling costs above what `beside` does with the same messages, in slices that alternate in one process. A busy machine
 * changes its pace by a half from one minute to the next, which is more than what is asked for here; both have the same pace.
 */
export async function cost(opened: Opened, { beside }: { readonly beside?: Opened | undefined }): Promise<Figures> {
  if (beside === undefined) throw new Error('there is nobody to compare it with');
  const [baseSlice, ownSlice] = [await slicesOf(beside), await slicesOf(opened)];
  for (let i = 0; i < WARM_UP; i++) {
    await baseSlice();
    await ownSlice();
  }
  const [base, own]: [Figures[], Figures[]] = [[], []];
  for (let i = 0; i < SLICES; i++) {
    base.push(await baseSlice());
    own.push(await ownSlice());
  }
  const micros = mean(own, microsOf);
  const besideMicros = mean(base, microsOf);
  const cpuMicros = mean(own, cpuOf);
  const messages = SLICE * SLICES;
  return {
    messages,
    seconds: (micros * messages) / 1e6,
    cpuMicros,
    own: { micros: micros - besideMicros, cpuMicros: cpuMicros - mean(base, cpuOf), besideMicros },
  };
}

const microsOf = ({ seconds, messages }: Figures): number => (seconds * 1e6) / messages;
const cpuOf = ({ cpuMicros }: Figures): number => cpuMicros;

/** All slices have the same number of messages. */
const mean = (slices: readonly Figures[], of: (slice: Figures) => number): number =>
  slices.reduce((sum, slice) => sum + of(slice), 0) / slices.length;

async function slicesOf(opened: Opened): Promise<() => Promise<Figures>> {
  let meter = new Meter();
  let handled = (): void => {};
  await opened.receive(() => {
    meter.add(1);
    if (meter.count === SLICE) handled();
  });
  const outgoing = await opened.outgoing();
  return async () => {
    const all = new Promise<void>((resolve) => {
      handled = resolve;
    });
    let sequence = 0;
    meter = new Meter();
    meter.begin();
    await outgoing.pump(
      () => (sequence < SLICE ? orderOf(sequence++) : undefined),
      () => {},
    );
    await all;
    return meter.end();
  };
}
