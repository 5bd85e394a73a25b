import { createInterface } from 'node:readline/promises';
import { CliError, EXIT, failed, sentenceOf } from './errors.js';
import type { Io } from './io.js';

/** The process's own streams and signals. Call it once. */
export function processIo(): Io {
  const interrupted = interruption();
  return {
    stdin: process.stdin,
    stdinIsTTY: process.stdin.isTTY === true,
    stderrIsTTY: process.stderr.isTTY === true,
    write,
    report: (text) => void process.stderr.write(text),
    ask: (question) => ask(question, interrupted),
    interrupted,
    now: () => performance.now(),
  };
}

/** The first Ctrl-C ends cleanly, the second at once. When nobody reads the output any more, there is no point in going on. */
function interruption(): AbortSignal {
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (abort.signal.aborted) process.exit(EXIT.interrupted);
      abort.abort(new CliError(EXIT.interrupted, 'Interrupted.'));
    });
  }
  process.stdout.on('error', (error) => abort.abort(endOfOutput(error)));
  return abort.signal;
}

/** `| head` has seen enough: an end, and no failure. */
function endOfOutput(error: Error): CliError {
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') return new CliError(EXIT.done, '');
  return failed(`Cannot write to standard output: ${sentenceOf(error)}.`, error);
}

function write(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(endOfOutput(error)) : resolve()));
  });
}

async function ask(question: string, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // While it reads lines, Ctrl-C is a key and no signal.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  // After Ctrl-D the question never settles: that is no yes.
  const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    return await Promise.race([lines.question(question, { signal }), closed]);
  } finally {
    lines.close();
  }
}
