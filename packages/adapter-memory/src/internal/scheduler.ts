import type { Clock } from '@anymq/core/adapter';

/**
 * Runs `task` later, never within the call. Every hand-over inside the engine (store a write, confirm it, deliver, move a
 * partition) is one task; no two of them rely on an order that a real network would not keep.
 */
export type Schedule = (task: () => void) => void;

/** How long the engine may keep the process from timers and sockets, milliseconds. */
const TURN_MS = 5;
/** The same for clocks that stand still. */
const TURN_ROUNDS = 1_000;

/**
 * The default: tasks run in order, as microtasks, in rounds. Now and then a round waits for the event loop: a service that
 * sends from its handlers would otherwise starve timers, sockets and signals for ever, as no real broker does.
 */
export function turnScheduler(clock: Clock): Schedule {
  const state = { tasks: [] as (() => void)[], waiting: false, turnBegan: clock.monotonic(), rounds: 0 };
  const beginTurn = (): void => {
    state.turnBegan = clock.monotonic();
    state.rounds = 0;
    round();
  };
  const wait = (): void => {
    state.waiting = true;
    const mayGoOn = ++state.rounds < TURN_ROUNDS && clock.monotonic() - state.turnBegan < TURN_MS;
    if (mayGoOn) queueMicrotask(round);
    else setImmediate(beginTurn);
  };
  const round = (): void => {
    const { tasks } = state;
    state.tasks = [];
    state.waiting = false;
    let done = 0;
    try {
      for (; done < tasks.length; done++) (tasks[done] as () => void)();
    } finally {
      // Only a sink that broke its contract can throw here: the others' tasks must survive it.
      if (done < tasks.length) state.tasks = [...tasks.slice(done + 1), ...state.tasks];
      if (state.tasks.length > 0 && !state.waiting) wait();
    }
  };
  return (task) => {
    state.tasks.push(task);
    if (!state.waiting) wait();
  };
}

/** Most microtasks that the seeded scheduler lets pass between two tasks. */
const MAX_HOPS = 16;

/**
 * For tests: picks the next task at random among all that could run, after a random number of promise hops. The same seed and
 * the same use give the same history.
 *
 * @param seed any integer
 */
export function seededScheduler(seed: number): Schedule {
  const random = seededRandom(seed);
  const tasks: (() => void)[] = [];
  let hops = -1;
  const hop = (): void => {
    if (--hops < 0) step();
    else queueMicrotask(hop);
  };
  const wait = (): void => {
    hops = Math.floor(random() * MAX_HOPS);
    queueMicrotask(hop);
  };
  const step = (): void => {
    const [task] = tasks.splice(Math.floor(random() * tasks.length), 1);
    if (tasks.length > 0) wait();
    task?.();
  };
  return (task) => {
    tasks.push(task);
    if (hops < 0) wait();
  };
}

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
