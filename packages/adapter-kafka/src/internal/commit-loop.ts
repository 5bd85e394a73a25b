import { type AdapterRuntime, type Backoff, sleep, type Timer } from '@anymq/core/adapter';
import { isExpelled } from '../errors.js';
import type { Committer, GroupStore } from './group-store.js';
import type { Share } from './share.js';

/** One commit costs as much as thousands of settlements: many share one. */
const DELAY_MS = 150;

export interface CommitLoopSettings {
  readonly runtime: AdapterRuntime;
  readonly store: GroupStore;
  readonly topic: string;
  /** The group has gone on without this member. */
  readonly expelled: (error: unknown) => void;
}

/**
 * Stores what was settled, in the background: one commit for all partitions, one under way. Each says which generation it is
 * of, so that Kafka refuses one that comes too late.
 */
export class CommitLoop {
  readonly #settings: CommitLoopSettings;
  #shares: readonly Share[] = [];
  #committer: Committer | undefined;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #backoff: Backoff | undefined;
  #warned = false;

  constructor(settings: CommitLoopSettings) {
    this.#settings = settings;
  }

  /** A new generation: what was dirty before is not committed any more. */
  begin(committer: Committer, shares: readonly Share[]): void {
    this.#committer = committer;
    this.#shares = shares;
    this.soon();
  }

  /** Within the generation. */
  replace(shares: readonly Share[]): void {
    this.#shares = shares;
    this.soon();
  }

  /** Something may have been settled. */
  soon(): void {
    if (this.#timer !== undefined || !this.#dirty) return;
    this.#timer = this.#settings.runtime.clock.setTimer(this.#backoff?.next() ?? DELAY_MS, () => {
      this.#timer = undefined;
      void this.#attempt().then(() => this.soon());
    });
  }

  /** Stores everything now, again and again until it is stored, the generation is over or `signal` says so. */
  async flush(signal: AbortSignal): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    while (this.#dirty && !signal.aborted) {
      if (await this.#attempt()) continue;
      await sleep(this.#settings.runtime.clock, this.#backoff?.next() ?? DELAY_MS, signal).catch(() => {});
    }
  }

  /** Nothing is committed any more. */
  end(): void {
    this.#committer = undefined;
    this.#shares = [];
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  get #dirty(): boolean {
    return this.#committer !== undefined && this.#shares.some((share) => share.dirty);
  }

  /** False when it failed and may succeed later. */
  async #attempt(): Promise<boolean> {
    while (this.#running !== undefined) await this.#running;
    const committer = this.#committer;
    if (committer === undefined || !this.#dirty) return true;
    let stored = false;
    const running = this.#commit(committer).then(
      () => {
        stored = true;
        this.#backoff = undefined;
      },
      (error) => this.#failed(committer, error),
    );
    this.#running = running.finally(() => {
      this.#running = undefined;
    });
    await this.#running;
    return stored;
  }

  async #commit(committer: Committer): Promise<void> {
    const commits = this.#shares
      .filter((share) => share.dirty)
      .map((share) => ({ partition: share.partition, ...share.commit() }));
    if (commits.some(({ note }) => !note.complete)) this.#warn();
    const stored = commits.map(({ partition, offset, note }) => ({ partition, offset, note: note.text }));
    await this.#settings.store.commit(committer, stored);
    for (const { done } of commits) done();
  }

  #failed(committer: Committer, error: unknown): void {
    this.#settings.runtime.log.debug(`Cannot commit positions in '${this.#settings.topic}' now.`, { error });
    this.#backoff ??= this.#settings.runtime.backoff();
    if (!isExpelled(error) || committer !== this.#committer) return;
    this.end();
    this.#settings.expelled(error);
  }

  #warn(): void {
    if (this.#warned) return;
    this.#warned = true;
    const message = `Too many messages of '${this.#settings.topic}' are unfinished in too many places: if a partition changes its owner now, some finished ones are delivered again.`;
    this.#settings.runtime.log.warn(message);
  }
}
