/** A message that a group gave up, as it was, with its cause. Kept until it is redriven or purged. */
export interface DeadLetter {
  /** Of the letter, not of the message: the same message given up again after a redrive is another letter. */
  readonly id: string;
  readonly topic: string;
  readonly group: string;
  /** The message's own. */
  readonly messageId: string;
  readonly key: string | undefined;
  readonly type: string;
  readonly contentType: string;
  /** The message's time, milliseconds since the Unix epoch. */
  readonly time: number;
  /** The sender's headers, trace context included, as they were. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bit by bit as it was. Must not be changed. */
  readonly body: Uint8Array;
  /** Where the message stood in its topic. */
  readonly position: string | undefined;
  /** Handler calls there were since it was sent, or since it was last redriven. */
  readonly attempts: number;
  /** Milliseconds since the Unix epoch. */
  readonly firstFailedAt: number;
  readonly lastFailedAt: number;
  readonly cause: DeadLetterCause;
  /** How often it had been redriven before. */
  readonly cycles: number;
}

/** Why it was given up. */
export interface DeadLetterCause {
  /** Of a `MessagingError`, e.g. `DECODING_FAILED`; else the error's own string `code`, where it had one. */
  readonly code: string | undefined;
  /** The error's name, e.g. `TypeError`; for a reason that is no error, its type. */
  readonly error: string | undefined;
  /** At most 500 characters. */
  readonly message: string | undefined;
  /** Hash of the error's stack: letters with the same one failed at the same place. */
  readonly stack: string | undefined;
}

/** Which letters. All that is given must hold; `{}` is all letters. */
export interface DeadLetterSelection {
  readonly ids?: readonly string[];
  /** Called once for each letter. One that throws ends the call with that error. */
  readonly where?: (letter: DeadLetter) => boolean;
  /** At most so many, from the beginning of the order, 1-1,000,000,000. @default all */
  readonly limit?: number;
}

/** How letters are listed. */
export interface ListOptions extends DeadLetterSelection {
  /** By when they were given up. @default 'oldest' */
  readonly order?: 'oldest' | 'newest';
}

/** How letters are redriven. */
export interface RedriveOptions {
  /** Letters a second, 0.001-100,000. @default as fast as the broker takes them */
  readonly ratePerSecond?: number;
  /** Counts what would be done and does nothing. @default false */
  readonly dryRun?: boolean;
  /** Another group of the same topic to give them to. @default the group that gave them up */
  readonly to?: { readonly group: string };
  /** Letters that have been redriven so often already stay: a loop must end somewhere. 1-1,000,000. @default 10 */
  readonly maxCycles?: number;
  /** Stops before the next letter: rejects with `ABORTED`. What was redriven is; the rest stays. */
  readonly signal?: AbortSignal;
  /** Hears of every letter that is done, for people who wait. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** What a redrive did, or with `dryRun` would have done. */
export interface RedriveReport {
  /** Letters that were selected. */
  readonly selected: number;
  /** Sent back, and removed from the dead letters. */
  readonly redriven: number;
  /** Left where they are, because of `maxCycles`. */
  readonly exhausted: number;
}

/** What may be said about a purge. */
export interface PurgeOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/**
 * The dead letters of one group on one topic. Get it from `messaging.deadLetters(topic, { group })`. Every method reads what was
 * written before it was called. They reject with `UNAVAILABLE`, `UNAUTHORISED`, `TIMEOUT`, `INVALID_ARGUMENT`, `CLOSED`; those that
 * write also with `INDETERMINATE` (call again: nothing is lost), and an import with `TOO_LARGE`.
 */
export interface DeadLetters {
  readonly topic: string;
  readonly group: string;
  /** Does not consume. Letters are looked at one by one; leaving the loop early is fine. */
  list(options?: ListOptions): AsyncIterable<DeadLetter>;
  /** Undefined when there is none with this id. */
  get(id: string): Promise<DeadLetter | undefined>;
  /** How many, by what: descending. A letter without that is counted under `''`. */
  stats(options: { readonly by: 'code' | 'error' | 'topic' }): Promise<ReadonlyMap<string, number>>;
  /**
   * Sends letters back to their group alone, with attempts counted from 1 and one cycle more; each is removed when it is stored
   * there. Interrupted at any point and called again, none is lost; what was in flight (at most 64) may come twice, with one id.
   */
  redrive(selection: DeadLetterSelection, options?: RedriveOptions): Promise<RedriveReport>;
  /** Removes letters for good. Resolves with how many. */
  purge(selection: DeadLetterSelection, options?: PurgeOptions): Promise<number>;
  /** JSON lines, one for each letter, without line ends; bodies in base64. `import` takes them. */
  export(options?: ListOptions): AsyncIterable<string>;
  /** Writes exported letters; one that is there already is written again, not doubled. Resolves with how many. */
  import(lines: Iterable<string> | AsyncIterable<string>): Promise<number>;
}
