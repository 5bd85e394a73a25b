/** Everything the command touches outside of itself and the brokers. Tests bring their own. */
export interface Io {
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdinIsTTY: boolean;
  readonly stderrIsTTY: boolean;
  /** Writes to standard output as it is. Resolves when there is room for more; rejects when nobody reads any more. */
  write(text: string): Promise<void>;
  /** Writes to standard error as it is. */
  report(text: string): void;
  /** Asks a person; standard input must be a terminal. Rejects when `interrupted` is aborted. */
  ask(question: string): Promise<string>;
  /** Aborted by Ctrl-C, with the `CliError` to end with. */
  readonly interrupted: AbortSignal;
  /** Milliseconds, for progress. */
  now(): number;
}

/** A line on standard output. */
export const print = (io: Io, line: string): Promise<void> => io.write(`${line}\n`);

/** A line on standard error. */
export const note = (io: Io, line: string): void => io.report(`${line}\n`);
