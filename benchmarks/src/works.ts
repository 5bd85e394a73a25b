import { setTimeout as sleep } from 'node:timers/promises';
import type { Opened } from './contestant.js';
import { cost } from './cost.js';
import { type Figures, Meter, percentile } from './meter.js';
import { type Order, orderOf } from './order.js';

export const WORKS = ['send', 'cost', 'consume', 'latency', 'slow', 'backlog', 'poison', 'retry', 'delay'] as const;
export type Work = (typeof WORKS)[number];

/** How a child is told what to measure: a work, or the filling before one. */
export type Stage = 'fill' | 'through' | 'inside' | Work;

/** What a stage is about. */
export interface Load {
  /** How many messages, where time does not bound it. */
  readonly count: number;
  /** Whom it is compared with in the same process, where it is. */
  readonly beside?: Opened | undefined;
}

/** Optimised code comes with processor time, of which a busy machine gives little: warming up takes so much of it... */
const CPU_MS = 1_500;
/** ... or so long, for contestants that mostly wait. */
const PATIENCE_MS = 6_000;
/** What is measured takes as much processor time again, and no less than this. */
const MEASURE_MS = 2_500;
const LOOK_MS = 50;
const SETTLE_MS = 2_000;
const LATENCY_RATE = 200;
const LATENCY_MS = 4_000;
const HANDLER_MS = 5;
const POISON_RATE = 2_000;
const POISON_MS = 6_000;
const DELAY_MS = 8_000;
/** Mixed, so that short ones are behind long ones. */
const DELAYS_MS = [100, 4_000, 500, 7_000, 1_000, 2_000] as const;

export const STAGES: Readonly<Record<Stage, (opened: Opened, load: Load) => Promise<Figures>>> = {
  cost,
  fill,
  through,
  inside,
  send,
  consume,
  latency,
  slow,
  backlog,
  poison,
  retry: consume,
  delay,
};

/** Topic and group stand, and `count` messages wait. */
async function fill(opened: Opened, { count }: Load): Promise<Figures> {
  await opened.prepare();
  const meter = new Meter();
  let sequence = 0;
  meter.begin();
  await (await opened.outgoing()).pump(
    () => (sequence < count ? orderOf(sequence++) : undefined),
    (n) => meter.add(n),
  );
  return meter.end();
}

/** For a while, as fast as it can. */
async function send(opened: Opened): Promise<Figures> {
  await opened.prepare();
  const meter = new Meter();
  return pumpFor(opened, meter, (n) => meter.add(n));
}

/** The same, counting what was handled in the same process. */
async function through(opened: Opened): Promise<Figures> {
  const meter = new Meter();
  await opened.receive(() => meter.add(1));
  return pumpFor(opened, meter, () => {});
}

async function pumpFor(opened: Opened, meter: Meter, confirmed: (count: number) => void): Promise<Figures> {
  const outgoing = await opened.outgoing();
  let sequence = 0;
  let figures: Figures | undefined;
  let begun = false;
  let enough = phase();
  // No timer ends it: contestants that never wait would not let it fire.
  const next = (): Order | undefined => {
    if (figures !== undefined) return undefined;
    if (sequence % 16 !== 0 || !enough(begun ? MEASURE_MS : 0)) return orderOf(sequence++);
    enough = phase();
    if (begun) {
      figures = meter.end();
      return undefined;
    }
    begun = true;
    meter.begin();
    return orderOf(sequence++);
  };
  await outgoing.pump(next, confirmed);
  return figures ?? meter.end();
}

/** Begins one; the result says whether it has lasted long enough, and at least so long. */
function phase(): (leastMs: number) => boolean {
  const start = performance.now();
  const from = process.cpuUsage();
  let lookedAt = start;
  return (leastMs) => {
    const now = performance.now();
    const elapsed = now - start;
    // Asking for the processor time costs as much as a message.
    if (elapsed < leastMs || now - lookedAt < LOOK_MS) return false;
    lookedAt = now;
    const { user, system } = process.cpuUsage(from);
    return elapsed > PATIENCE_MS || (user + system) / 1000 > CPU_MS;
  };
}

/** From a fifth of the messages, which warm up, to the last one handled; settling goes on behind in all contestants. */
async function consume(opened: Opened, { count }: Load): Promise<Figures> {
  const meter = new Meter();
  const warm = Math.floor(count / 5);
  return new Promise((resolve, reject) => {
    const handler = (): void => {
      meter.add(1);
      if (meter.count === warm) meter.begin();
      else if (meter.count === count) resolve(meter.end());
    };
    opened.receive(handler).catch(reject);
  });
}

/** At a steady pace, from the call that sends to the handler, by one clock: both are in this process. */
function latency(opened: Opened): Promise<Figures> {
  return steady(opened, LATENCY_RATE, LATENCY_MS);
}

/** The same, faster: how long the good keys wait, whatever one key does. */
function poison(opened: Opened): Promise<Figures> {
  return steady(opened, POISON_RATE, POISON_MS);
}

async function steady(opened: Opened, ratePerSecond: number, ms: number): Promise<Figures> {
  await opened.prepare();
  const delays: number[] = [];
  const meter = new Meter();
  await opened.receive(({ sentAt }) => {
    if (sentAt <= 0) return;
    delays.push(performance.now() - sentAt);
    meter.add(1);
  });
  const outgoing = await opened.outgoing();
  await paced(ratePerSecond, ms / 4, (sequence) => outgoing.one(orderOf(sequence)));
  meter.begin();
  await paced(ratePerSecond, ms, (sequence) => outgoing.one(orderOf(sequence, performance.now())));
  await sleep(500);
  return { ...meter.end(), latency: { p50: percentile(delays, 0.5), p99: percentile(delays, 0.99) } };
}

/** How far from its due time each delayed message is handled; all must come. */
async function delay(opened: Opened): Promise<Figures> {
  if (opened.delayed === undefined) throw new Error('this contestant cannot delay');
  await opened.prepare();
  const late: number[] = [];
  const meter = new Meter();
  let all = (): void => {};
  const total = (DELAY_MS / 1000) * LATENCY_RATE;
  const done = new Promise<void>((resolve) => {
    all = resolve;
  });
  // Due times go through the broker: they are of the wall clock.
  await opened.receive(({ sentAt }) => {
    if (sentAt <= 0) return;
    late.push(Date.now() - sentAt);
    meter.add(1);
    if (late.length === total) all();
  });
  const send = opened.delayed;
  await send(orderOf(0), Date.now() + 1);
  meter.begin();
  await paced(LATENCY_RATE, DELAY_MS, (sequence) => {
    const due = Date.now() + (DELAYS_MS[sequence % DELAYS_MS.length] as number);
    return send(orderOf(sequence, due), due);
  });
  await done;
  const sorted = late.sort((one, other) => one - other);
  const [p50, p99] = [percentile(sorted, 0.5), percentile(sorted, 0.99)];
  return { ...meter.end(), deviation: { earliest: sorted[0] as number, p50, p99, worst: sorted.at(-1) as number } };
}

/** Resolves when all are sent. */
async function paced(ratePerSecond: number, ms: number, one: (sequence: number) => Promise<void>): Promise<void> {
  const start = performance.now();
  const sends: Promise<void>[] = [];
  const total = (ms / 1000) * ratePerSecond;
  while (sends.length < total) {
    const due = ((performance.now() - start) / 1000) * ratePerSecond;
    while (sends.length < Math.min(due, total)) sends.push(one(sends.length));
    await sleep(1);
  }
  await Promise.all(sends);
}

/** A handler that waits, for a while. */
async function slow(opened: Opened, { count }: Load): Promise<Figures> {
  const meter = new Meter();
  return new Promise((resolve, reject) => {
    const end = (): void => resolve(meter.end());
    const handler = async (): Promise<void> => {
      await sleep(HANDLER_MS);
      meter.add(1);
      if (meter.count === count) end();
    };
    opened
      .receive(handler)
      .then(() => sleep(SETTLE_MS))
      .then(() => {
        meter.begin();
        return sleep(MEASURE_MS);
      })
      .then(end, reject);
  });
}

/** Until all is handled; what it is about is the memory. */
async function backlog(opened: Opened, load: Load): Promise<Figures> {
  const figures = await consume(opened, load);
  return { ...figures, peakMb: process.resourceUsage().maxRSS / 1024 };
}

/** The backlog of an engine that lives in this process. */
async function inside(opened: Opened, load: Load): Promise<Figures> {
  await fill(opened, load);
  return backlog(opened, load);
}
