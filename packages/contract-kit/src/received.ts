import type { Delivery } from '@anymq/core';

/** Something a case waits for, with one deadline for the whole case. */
export class Waiter {
  readonly #signal: AbortSignal;
  readonly #checks = new Set<() => void>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Something changed: whoever waits looks again. */
  changed(): void {
    for (const check of this.#checks) check();
  }

  /** Resolves as soon as `holds`; rejects at the case's deadline, saying what was waited for and what there was. */
  until(holds: () => boolean, what: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (!holds()) return;
        end();
        resolve();
      };
      const late = (): void => {
        end();
        reject(new Error(`waited until the deadline for ${what()}`));
      };
      const end = (): void => {
        this.#checks.delete(check);
        this.#signal.removeEventListener('abort', late);
      };
      this.#checks.add(check);
      this.#signal.addEventListener('abort', late);
      check();
      if (this.#signal.aborted) late();
    });
  }
}

/** One handler call, as a case remembers it. */
export interface Call<T> {
  readonly delivery: Delivery<T>;
  /** Which member handled it. */
  readonly member: string;
  ended: boolean;
}

/** Everything that handlers of a case were called with, in order, and waits on it. */
export class Received<T> {
  readonly calls: Call<T>[] = [];
  /** Ids of what was handled, in the order in which the calls ended. Only grows. */
  readonly ended: string[] = [];
  /** Handler calls under way, and the most there ever were. */
  running = 0;
  mostRunning = 0;
  /** Most handler calls of one key under way at once. */
  mostOfKey = 0;
  readonly #ofKey = new Map<string, number>();
  readonly #waiter: Waiter;

  constructor(waiter: Waiter) {
    this.#waiter = waiter;
  }

  /** A handler that records, and does `work` meanwhile. */
  handler(member = 'a', work?: (delivery: Delivery<T>) => unknown): (delivery: Delivery<T>) => Promise<void> {
    return async (delivery) => {
      const call = this.#begin(delivery, member);
      try {
        await work?.(delivery);
      } finally {
        this.#end(call);
      }
    };
  }

  /** Records deliveries of a batch. */
  batch(deliveries: readonly Delivery<T>[], member = 'a'): void {
    for (const delivery of deliveries) {
      this.calls.push({ delivery, member, ended: true });
      this.ended.push(delivery.id);
    }
    this.#waiter.changed();
  }

  get ids(): string[] {
    return this.calls.map(({ delivery }) => delivery.id);
  }

  get values(): T[] {
    return this.calls.map(({ delivery }) => delivery.value);
  }

  by(member: string): Call<T>[] {
    return this.calls.filter((call) => call.member === member);
  }

  of(id: string): Call<T>[] {
    return this.calls.filter(({ delivery }) => delivery.id === id);
  }

  /** Ids handled more than once. */
  get duplicates(): string[] {
    const seen = new Set<string>();
    return this.ids.filter((id) => seen.size === seen.add(id).size);
  }

  /** At least `count` calls have begun. */
  until(count: number): Promise<void> {
    return this.#waiter.until(
      () => this.calls.length >= count,
      () => `${count} calls, there were ${this.calls.length}`,
    );
  }

  /** Every one of `ids` was handled to its end at least once. */
  async all(ids: readonly string[]): Promise<void> {
    const missing = new Set(ids);
    // From where it looked last: asked again after every call, it would look at ten thousand of them ten thousand times.
    let seen = 0;
    const holds = (): boolean => {
      for (; seen < this.ended.length; seen++) missing.delete(this.ended[seen] as string);
      return missing.size === 0;
    };
    await this.#waiter.until(
      holds,
      () => `${ids.length} messages, ${missing.size} are missing: ${[...missing].slice(0, 5).join(', ')}`,
    );
  }

  #begin(delivery: Delivery<T>, member: string): Call<T> {
    const call: Call<T> = { delivery, member, ended: false };
    this.calls.push(call);
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    const key = delivery.key ?? delivery.id;
    const ofKey = (this.#ofKey.get(key) ?? 0) + 1;
    this.#ofKey.set(key, ofKey);
    this.mostOfKey = Math.max(this.mostOfKey, ofKey);
    this.#waiter.changed();
    return call;
  }

  #end(call: Call<T>): void {
    call.ended = true;
    this.ended.push(call.delivery.id);
    this.running -= 1;
    const key = call.delivery.key ?? call.delivery.id;
    this.#ofKey.set(key, (this.#ofKey.get(key) ?? 1) - 1);
    this.#waiter.changed();
  }
}
