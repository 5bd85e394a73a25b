import type { Clock, Timer } from '@anymq/core/adapter';
import type { Member } from './member.js';

/** Watches that members show signs of life. There is a timer only while there are members. */
export class Leases {
  readonly #clock: () => Clock;
  readonly #leaseMs: number;
  readonly #members = new Set<Member>();
  #timer: Timer | undefined;

  constructor(clock: () => Clock, leaseMs: number) {
    this.#clock = clock;
    this.#leaseMs = leaseMs;
  }

  add(member: Member): void {
    member.renewedAt = this.#clock().monotonic();
    this.#members.add(member);
    this.#timer ??= this.#watch(this.#leaseMs);
  }

  remove(member: Member): void {
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  renew(member: Member): void {
    member.renewedAt = this.#clock().monotonic();
  }

  #watch(delayMs: number): Timer {
    return this.#clock().setTimer(delayMs, () => this.#check());
  }

  /** Renewals do not touch the timer: when it fires it looks who is due, and sleeps until the next one could be. */
  #check(): void {
    this.#timer = undefined;
    const now = this.#clock().monotonic();
    let next = Number.POSITIVE_INFINITY;
    for (const member of [...this.#members]) {
      const left = member.renewedAt + this.#leaseMs - now;
      if (left <= 0) member.group.expire(member);
      else next = Math.min(next, left);
    }
    if (this.#members.size > 0) this.#timer = this.#watch(next);
  }
}
