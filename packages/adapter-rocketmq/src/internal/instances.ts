import { type AdapterRuntime, messageOf, type Timer } from '@anymq/core/adapter';
import type { Admin } from './admin.js';

/** Signs of life of ephemeral groups, on the name servers: group name to milliseconds since the Unix epoch. */
const INSTANCES = 'ANYMQ_INSTANCES';
const SIGN_MS = 60_000;
/** So many signs missed, and clocks that differ besides. */
const GONE_AFTER_MS = 5 * SIGN_MS;

/**
 * Groups that belong to one receiver each. RocketMQ keeps a group for ever, so whoever was killed leaves its own behind: the next
 * one that comes, on any topic, takes away what has shown no sign of life for five minutes.
 */
export class Instances {
  readonly #admin: Admin;
  readonly #runtime: AdapterRuntime;
  readonly #own = new Set<string>();
  #timer: Timer | undefined;

  constructor(admin: Admin, runtime: AdapterRuntime) {
    this.#admin = admin;
    this.#runtime = runtime;
  }

  /** The group is about to be made. */
  async add(group: string): Promise<void> {
    await this.#sweep();
    await this.#sign(group);
    this.#own.add(group);
    this.#timer ??= this.#runtime.clock.setTimer(SIGN_MS, () => this.#signAll());
  }

  /** Its receiver has closed: the group goes. */
  async remove(group: string): Promise<void> {
    if (!this.#own.delete(group)) return;
    if (this.#own.size === 0) this.close();
    await this.#take(group);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #sign(group: string): Promise<void> {
    return this.#admin.put(INSTANCES, group, String(this.#runtime.clock.now()));
  }

  #signAll(): void {
    this.#timer = this.#runtime.clock.setTimer(SIGN_MS, () => this.#signAll());
    for (const group of this.#own) this.#sign(group).catch((error) => this.#missed(group, error));
  }

  async #sweep(): Promise<void> {
    const oldest = this.#runtime.clock.now() - GONE_AFTER_MS;
    for (const [group, sign] of Object.entries(await this.#admin.list(INSTANCES))) {
      if (Number(sign) >= oldest || this.#own.has(group)) continue;
      await this.#take(group).catch((error) => this.#missed(group, error));
    }
  }

  async #take(group: string): Promise<void> {
    await this.#admin.removeGroup(group);
    await this.#admin.delete(INSTANCES, group);
  }

  #missed(group: string, error: unknown): void {
    this.#runtime.log.debug(`Group '${group}' could not be signed for or taken away: ${messageOf(error)}`);
  }
}
