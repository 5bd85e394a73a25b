import { Presets, SingleBar } from 'cli-progress';
import type { Counts } from './pipeline.js';

type Moment = Counts & { readonly funnel: number; readonly archive: number };

/** Shows how far a run is, on standard error. */
export interface Progress {
  update(moment: Moment): void;
  /** A line that stays. */
  note(line: string): void;
  stop(): void;
}

const EVERY_MS = 1_000;

/** A bar on a terminal, a line a second elsewhere. */
export function showProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY ? bar(stream) : lines(stream);
}

function bar(stream: NodeJS.WriteStream): Progress {
  const format = ' {bar} {value}/{total} handled by both groups | read {read}, sent {sent} | {duration_formatted}';
  const single = new SingleBar({ format, stream, clearOnComplete: true, hideCursor: true }, Presets.shades_classic);
  single.start(0, 0, { read: 0, sent: 0 });
  return {
    update({ read, sent, invalid, funnel, archive }) {
      single.setTotal(read - invalid);
      single.update(Math.min(funnel, archive), { read, sent });
    },
    note(line) {
      stream.write(`\r\u001b[K${line}\n`);
    },
    stop: () => single.stop(),
  };
}

function lines(stream: NodeJS.WriteStream): Progress {
  let shown = performance.now();
  return {
    update({ read, sent, funnel, archive }) {
      if (performance.now() - shown < EVERY_MS) return;
      shown = performance.now();
      stream.write(`read ${read}, sent ${sent}, handled by funnel ${funnel}, by archive ${archive}\n`);
    },
    note: (line) => void stream.write(`${line}\n`),
    stop() {},
  };
}
