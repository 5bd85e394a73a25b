import { type ByteCredit, HANDOVER_MS, type ReceiverSink, type ReceiverSpec, type Timer } from '@anymq/core/adapter';
import { MemoryFault } from '../errors.js';
import { assign } from './assignment.js';
import type { Engine } from './engine.js';
import { Member } from './member.js';
import { type Ownership, Share } from './share.js';
import type { StoredTopic } from './topic.js';

/** How long an ephemeral group waits for a consumer that was cut off. */
const REMOVED_AFTER_LEASES = 20;

/** A group on one topic: durable positions, and the members that share the partitions now. */
export class Group {
  readonly name: string;
  readonly topic: StoredTopic;
  readonly charter: string;
  readonly shares: readonly Share[];
  readonly #engine: Engine;
  readonly #members = new Set<Member>();
  readonly #ephemeral: boolean;
  /** Removes an ephemeral group whose member does not come back. */
  #removal: Timer | undefined;
  /** Why there is no such group any more. */
  #removed: MemoryFault | undefined;
  #rebalancing = false;

  constructor(
    engine: Engine,
    topic: StoredTopic,
    name: string,
    { charter, startFrom, ephemeral = false }: Pick<ReceiverSpec, 'charter' | 'startFrom' | 'ephemeral'>,
  ) {
    this.#engine = engine;
    this.topic = topic;
    this.name = name;
    this.charter = charter;
    this.#ephemeral = ephemeral;
    // All partitions at once: nothing can be sent between two of them.
    this.shares = topic.logs.map((log, i) => new Share(i, log, startFrom === 'earliest' ? log.start : log.end));
  }

  get lag(): number {
    return this.shares.reduce((sum, share) => sum + share.lag, 0);
  }

  get members(): number {
    return this.#members.size;
  }

  get inFlight(): number {
    return this.shares.reduce((sum, share) => sum + share.inFlight, 0);
  }

  member(sink: ReceiverSink, bytes: ByteCredit): Member {
    return new Member(this, sink, bytes, this.#engine.schedule);
  }

  join(member: Member): void {
    this.#removal?.cancel();
    if (this.#removed !== undefined) {
      member.sink.failed(this.#removed);
      return;
    }
    member.live = true;
    this.#members.add(member);
    this.#engine.leases.add(member);
    this.#rebalance();
  }

  /** What the member had not settled is free at once. Idempotent. */
  leave(member: Member): void {
    if (!member.live) return;
    member.live = false;
    this.#members.delete(member);
    this.#engine.leases.remove(member);
    for (const share of this.shares) if (share.owner?.member === member) share.release();
    if (this.#members.size === 0) for (const share of this.shares) share.wake?.cancel();
    this.#rebalance();
  }

  /** Its receiver has closed: an ephemeral group goes with it. */
  end(member: Member): void {
    this.leave(member);
    this.#removal?.cancel();
    if (this.#ephemeral) this.#remove();
  }

  /** Its topic was deleted, and the group with it. */
  deleted(error: MemoryFault): void {
    this.#removal?.cancel();
    this.#removed = error;
    for (const member of [...this.#members]) {
      this.cut(member, error);
      member.sink.failed(error);
    }
    this.#removal?.cancel();
  }

  #remove(): void {
    this.#removed = new MemoryFault(
      'missing',
      `the group was removed: its consumer was away for longer than ${REMOVED_AFTER_LEASES} leases`,
    );
    this.topic.groups.delete(this.name);
    this.topic.trim();
  }

  /**
   * A sign of life. A member whose lease ran out is told now, and joins again.
   */
  renew(member: Member): void {
    if (member.live) this.#engine.leases.renew(member);
    else this.#rejoin(member);
  }

  #rejoin(member: Member): void {
    this.#tell(member, new Error(`the member showed no sign of life for leaseMs (${this.#engine.settings.leaseMs})`));
    this.join(member);
  }

  #tell(member: Member, error: Error): void {
    for (const { source } of member.expired) source.lost(error);
    member.expired = [];
  }

  /** The member's connection broke, and both sides know it. */
  cut(member: Member, error: Error): void {
    if (member.live) {
      this.#rest(member);
      this.expire(member);
    }
    this.#tell(member, error);
  }

  /** What of it was delivered may be in handlers' hands. */
  #rest(member: Member): void {
    const until = this.#engine.clock.monotonic() + HANDOVER_MS;
    for (const share of this.shares) {
      if (share.owner?.member === member && share.inFlight > 0) share.restsUntil = until;
    }
  }

  /** The member was silent for too long: others get what it owned, its settlements are refused from now on. */
  expire(member: Member): void {
    member.expired = this.shares.flatMap(({ owner }) => (owner?.member === member ? owner : []));
    this.leave(member);
    if (!this.#ephemeral) return;
    const { clock, settings } = this.#engine;
    this.#removal = clock.setTimer(REMOVED_AFTER_LEASES * settings.leaseMs, () => this.#remove());
  }

  /** A message arrived in the partition. */
  arrived(partition: number): void {
    const owner = this.shares[partition]?.owner;
    if (owner !== undefined) owner.member.offer(owner);
  }

  #rebalance(): void {
    if (this.#rebalancing) return;
    this.#rebalancing = true;
    this.#engine.schedule(() => {
      this.#rebalancing = false;
      const targets = assign(
        this.shares.map(({ target }) => target),
        [...this.#members],
      );
      for (const share of this.shares) {
        share.target = targets[share.partition];
        this.#move(share);
      }
    });
  }

  /** One step towards the share's target: first its owner gives up, then the next one gets it. */
  #move(share: Share): void {
    const { owner, target } = share;
    if (owner === undefined) this.#engine.schedule(() => this.#grant(share));
    else if (owner.member !== target && owner.draining === undefined) this.#drain(owner);
  }

  #grant(share: Share): void {
    const { target } = share;
    if (share.owner !== undefined || target === undefined || !target.live) return;
    const { clock } = this.#engine;
    const restsMs = share.restsUntil - clock.monotonic();
    share.wake?.cancel();
    share.wake = restsMs > 0 ? clock.setTimer(restsMs, () => this.#grant(share)) : undefined;
    if (share.wake !== undefined) return;
    const ownership = share.grant(target, `${this.topic.name}/${share.partition}`);
    if (share.ready) target.offer(ownership);
  }

  #drain(owner: Ownership): void {
    const { clock, settings, schedule } = this.#engine;
    owner.draining = clock.setTimer(settings.drainTimeoutMs, () => this.#seize(owner));
    owner.source.drain().then(() => schedule(() => this.#pass(owner)));
  }

  /** A member that does not finish must not keep the others waiting for ever. */
  #seize(owner: Ownership): void {
    const { drainTimeoutMs } = this.#engine.settings;
    owner.source.lost(new Error(`running handlers did not end within drainTimeoutMs (${drainTimeoutMs})`));
    this.#pass(owner);
  }

  #pass(owner: Ownership): void {
    if (owner.over) return;
    owner.share.release();
    this.#move(owner.share);
  }
}
