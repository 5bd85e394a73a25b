import { Presets, SingleBar } from 'cli-progress';
import type { Moment } from './pipeline.js';

/** Shows how far a run is, on standard error. */
export interface Progress {
  /** Cheap: most calls only look at the clock. */
  update(moment: Moment): void;
  /** A line that stays. */
  note(line: string): void;
  stop(): void;
}

const BAR_EVERY_MS = 100;
const LINE_EVERY_MS = 1_000;

/** A bar on a terminal, a line a second elsewhere. */
export function showProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY ? bar(stream) : lines(stream);
}

function bar(stream: NodeJS.WriteStream): Progress {
  const format = ' {bar} {value}/{total} handled by both groups | read {read}, sent {sent} | {duration_formatted}';
  const single = new SingleBar({ format, stream, clearOnComplete: true, hideCursor: true }, Presets.shades_classic);
  let state: 'waiting' | 'shown' | 'over' = 'waiting';
  return {
    update: atMostEvery(BAR_EVERY_MS, ({ read, sent, invalid, funnel, archive }) => {
      if (state === 'over') return;
      const [total, value] = [read - invalid, Math.min(funnel, archive)];
      // Not before there is something to show: a bar of 0 of 0 is full.
      if (state === 'waiting') single.start(total, value, { read, sent });
      state = 'shown';
      single.setTotal(total);
      single.update(value, { read, sent });
    }),
    note: (line) => void stream.write(`\r\u001b[K${line}\n`),
    stop() {
      if (state === 'shown') single.stop();
      state = 'over';
    },
  };
}

function lines(stream: NodeJS.WriteStream): Progress {
  return {
    update: atMostEvery(LINE_EVERY_MS, ({ read, sent, funnel, archive }) => {
      stream.write(`read ${read}, sent ${sent}, handled by funnel ${funnel}, by archive ${archive}\n`);
    }),
    note: (line) => void stream.write(`${line}\n`),
    stop() {},
  };
}

function atMostEvery(everyMs: number, show: (moment: Moment) => void): (moment: Moment) => void {
  let shown = performance.now();
  return (moment) => {
    const now = performance.now();
    if (now - shown < everyMs) return;
    shown = now;
    show(moment);
  };
}
