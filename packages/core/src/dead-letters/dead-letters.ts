import { invalidArgument, MessagingError } from '../errors.js';
import { checkSize } from '../producer/prepare.js';
import { checkObject, onlyKnown } from '../range.js';
import type { System } from '../system/system.js';
import type {
  DeadLetter,
  DeadLetterSelection,
  DeadLetters,
  ListOptions,
  PurgeOptions,
  RedriveOptions,
  RedriveReport,
} from './contract.js';
import { flow } from './flow.js';
import { Ledger } from './ledger.js';
import { lettersOf, lineOf, type NumberedLetter } from './lines.js';
import { redrive, redriveOf } from './redrive.js';
import { type Selection, select, selectionOf } from './selection.js';

/** What letters are counted by. */
const COUNTED: Readonly<Record<'code' | 'error' | 'topic', (letter: DeadLetter) => string | undefined>> = {
  code: ({ cause }) => cause.code,
  error: ({ cause }) => cause.error,
  topic: ({ topic }) => topic,
};

export class CoreDeadLetters implements DeadLetters {
  readonly topic: string;
  readonly group: string;
  readonly #system: System;
  readonly #ledger: Ledger;

  constructor(system: System, topic: string, group: string) {
    this.topic = topic;
    this.group = group;
    this.#system = system;
    this.#ledger = new Ledger(system, { topic, group });
  }

  async *list(options: ListOptions = {}): AsyncIterable<DeadLetter> {
    const selection = selectionOf('list()', options, ['order']);
    const { order = 'oldest' } = options;
    if (order !== 'oldest' && order !== 'newest') throw invalidArgument("order must be 'oldest' or 'newest'.");
    const letters = await this.#call(undefined, 'list()', (stop) => this.#read(selection, stop));
    yield* select(order === 'newest' ? letters.reverse() : letters, selection);
  }

  async get(id: string): Promise<DeadLetter | undefined> {
    if (typeof id !== 'string') throw invalidArgument(`get() takes the id of a letter, found ${typeof id}.`);
    const selection = selectionOf('get()', { ids: [id] });
    const [letter] = await this.#call(undefined, 'get()', (stop) => this.#read(selection, stop));
    return letter;
  }

  async stats(options: { readonly by: 'code' | 'error' | 'topic' }): Promise<ReadonlyMap<string, number>> {
    checkObject('stats() options', options);
    onlyKnown('stats()', options, ['by']);
    if (!Object.hasOwn(COUNTED, options.by))
      throw invalidArgument(`stats() counts by one of ${Object.keys(COUNTED).join(', ')}.`);
    const take = COUNTED[options.by];
    const of = await this.#call(undefined, 'stats()', (stop) => this.#ledger.letters(() => true, take, stop));
    const counts = new Map<string, number>();
    for (const value of of.values()) counts.set(value ?? '', (counts.get(value ?? '') ?? 0) + 1);
    return new Map([...counts].sort(([, a], [, b]) => b - a));
  }

  async redrive(selection: DeadLetterSelection, options: RedriveOptions = {}): Promise<RedriveReport> {
    const which = selectionOf('redrive()', selection);
    const how = redriveOf(options);
    return this.#call(options.signal, 'redrive()', async (stop) => {
      const letters = [...select(await this.#read(which, stop), which)];
      return redrive(this.#ledger, letters, how, stop);
    });
  }

  async purge(selection: DeadLetterSelection, options: PurgeOptions = {}): Promise<number> {
    const which = selectionOf('purge()', selection);
    checkObject('purge() options', options);
    onlyKnown('purge()', options, ['signal', 'onProgress']);
    const { signal, onProgress } = options;
    return this.#call(signal, 'purge()', async (stop) => {
      const letters = [...select(await this.#read(which, stop), which)];
      let done = 0;
      const remove = async (letter: DeadLetter): Promise<void> => {
        await this.#ledger.remove(letter);
        done += 1;
        onProgress?.({ done, total: letters.length });
      };
      await flow(letters, remove, { stop });
      return done;
    });
  }

  async *export(options: ListOptions = {}): AsyncIterable<string> {
    for await (const letter of this.list(options)) yield lineOf(letter);
  }

  async import(lines: Iterable<string> | AsyncIterable<string>): Promise<number> {
    if (typeof lines === 'string') throw invalidArgument('import() takes an iterable of lines, found a string.');
    let done = 0;
    const write = async ({ number, letter }: NumberedLetter): Promise<void> => {
      this.#checkSize(letter, number);
      await this.#ledger.write(letter);
      done += 1;
    };
    await this.#call(undefined, 'import()', (stop) => flow(lettersOf(lines, this.#ledger.origin), write, { stop }));
    return done;
  }

  async #read({ wanted }: Selection, stop: AbortSignal): Promise<DeadLetter[]> {
    return [...(await this.#ledger.letters(wanted, (letter) => letter, stop)).values()];
  }

  #checkSize({ id, key, body, headers, time, type, contentType }: DeadLetter, number: number): void {
    const { limits } = this.#system.broker.configured.capabilities;
    checkSize({ id, key, body, headers, time, type, contentType }, `${this.topic}' (line ${number})`, limits);
  }

  /** Ends with `CLOSED` when the messaging closes, and with `ABORTED` when `signal` is aborted. */
  async #call<T>(signal: AbortSignal | undefined, what: string, work: (stop: AbortSignal) => Promise<T>): Promise<T> {
    const { closing } = this.#system;
    closing.throwIfAborted();
    const stop = signal === undefined ? closing : AbortSignal.any([closing, signal]);
    try {
      return await this.#system.track(work(stop));
    } catch (error) {
      if (!signal?.aborted || error !== signal.reason) throw error;
      throw new MessagingError('ABORTED', `The signal was aborted during ${what}.`, { cause: error });
    }
  }
}
