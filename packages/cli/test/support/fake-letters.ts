import { DEFAULT_MAX_CYCLES } from '@anymq/core';
import type { DeadLetter, DeadLetterSelection, DeadLetters } from '../../src/messaging-port.js';

/** A letter as a group leaves it, with what a test says about it. */
export function letter(fields: Partial<DeadLetter> = {}): DeadLetter {
  return {
    id: 'l-1',
    topic: 'orders.paid',
    group: 'shipping',
    messageId: 'm-1',
    key: 'o-1',
    type: 'orders.paid',
    contentType: 'application/json',
    time: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
    headers: {},
    body: Buffer.from('{"orderId":"o-1"}'),
    position: '3:42',
    attempts: 5,
    firstFailedAt: Date.UTC(2026, 0, 2, 3, 5),
    lastFailedAt: Date.UTC(2026, 0, 2, 3, 6),
    cause: { code: 'TIMEOUT', error: 'MessagingError', message: 'no answer', stack: 'abc' },
    cycles: 0,
    ...fields,
  };
}

type RedriveOptions = NonNullable<Parameters<DeadLetters['redrive']>[1]>;
type PurgeOptions = NonNullable<Parameters<DeadLetters['purge']>[1]>;

/** Dead letters in an array: what the interface says, and what was asked of it. */
export class FakeLetters implements DeadLetters {
  readonly topic = 'orders.paid';
  readonly group = 'shipping';
  readonly asked: { redrive?: RedriveOptions; imported: string[]; purged: DeadLetterSelection[] } = {
    imported: [],
    purged: [],
  };
  /** Called after each letter that is redriven or purged. */
  afterEach: (done: number) => void = () => {};

  constructor(public letters: DeadLetter[] = []) {}

  async *list({ order = 'oldest', ...selection }: Parameters<DeadLetters['list']>[0] = {}) {
    const selected = this.#selected(selection);
    yield* order === 'oldest' ? selected : selected.toReversed();
  }

  async get(id: string) {
    return this.letters.find((one) => one.id === id);
  }

  async stats({ by }: { readonly by: 'code' | 'error' | 'topic' }) {
    const counts = new Map<string, number>();
    for (const one of this.letters) {
      const name = (by === 'topic' ? one.topic : one.cause[by]) ?? '';
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
  }

  async redrive(selection: DeadLetterSelection, options: RedriveOptions = {}) {
    this.asked.redrive = options;
    const selected = this.#selected(selection);
    const going = selected.filter(({ cycles }) => cycles < (options.maxCycles ?? DEFAULT_MAX_CYCLES));
    if (!options.dryRun) this.#remove(going, options);
    return { selected: selected.length, redriven: going.length, exhausted: selected.length - going.length };
  }

  async purge(selection: DeadLetterSelection, options: PurgeOptions = {}) {
    this.asked.purged.push(selection);
    const selected = this.#selected(selection);
    this.#remove(selected, options);
    return selected.length;
  }

  async *export(selection: DeadLetterSelection = {}) {
    for (const { body, ...rest } of this.#selected(selection))
      yield JSON.stringify({ ...rest, body: Buffer.from(body).toString('base64') });
  }

  async import(lines: Iterable<string> | AsyncIterable<string>) {
    for await (const line of lines) this.asked.imported.push(line);
    return this.asked.imported.length;
  }

  #selected({ ids, where = () => true, limit }: DeadLetterSelection): DeadLetter[] {
    return this.letters.filter((one) => (ids?.includes(one.id) ?? true) && where(one)).slice(0, limit);
  }

  #remove(gone: readonly DeadLetter[], { signal, onProgress }: PurgeOptions): void {
    for (const [i, one] of gone.entries()) {
      signal?.throwIfAborted();
      this.letters = this.letters.filter(({ id }) => id !== one.id);
      onProgress?.({ done: i + 1, total: gone.length });
      this.afterEach(i + 1);
    }
  }
}
