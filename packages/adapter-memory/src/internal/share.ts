import type { ByteCredit, IncomingRecord, Source, Timer } from '@anymq/core/adapter';
import { MemoryRecord } from '../codec.js';
import { Cursor } from './cursor.js';
import type { Log } from './log.js';
import type { Member } from './member.js';

/** One member's ownership of one share, from the grant to its end: an epoch. */
export interface Ownership {
  readonly share: Share;
  readonly member: Member;
  readonly source: Source;
  /** Set while the member gives up: nothing is delivered any more, and its time to finish is limited. */
  draining: Timer | undefined;
  /** Settlements are refused. */
  over: boolean;
  /** Is it in its member's queue of shares that have something to deliver? */
  queued: boolean;
}

/** A group's part of one partition: where it stands and who may work on it. */
export class Share {
  readonly partition: number;
  readonly cursor: Cursor;
  readonly #log: Log;
  /** The member that works on it now. */
  owner: Ownership | undefined;
  /** The member that it belongs to after the rebalance. */
  target: Member | undefined;
  /** Nobody gets it before, monotonic milliseconds. */
  restsUntil = Number.NEGATIVE_INFINITY;
  /** Set while somebody waits for that. */
  wake: Timer | undefined;

  constructor(partition: number, log: Log, start: number) {
    this.partition = partition;
    this.#log = log;
    this.cursor = new Cursor(start);
  }

  get lag(): number {
    return this.cursor.unsettled(this.#log.end);
  }

  /** Messages that its owner has and did not settle. */
  get inFlight(): number {
    return this.owner === undefined ? 0 : this.cursor.outstanding;
  }

  /** Something can be delivered to whoever owns it. */
  get ready(): boolean {
    return this.cursor.ready(this.#log.end);
  }

  /** Begins an epoch: with the oldest unsettled message, whoever had it before. */
  grant(member: Member, name: string): Ownership {
    const source = member.sink.own(name);
    this.cursor.rewind();
    this.owner = { share: this, member, source, draining: undefined, over: false, queued: false };
    return this.owner;
  }

  /** Ends the epoch. Everything unsettled is the next owner's. */
  release(): void {
    if (this.owner === undefined) return;
    this.owner.over = true;
    this.owner.draining?.cancel();
    this.owner = undefined;
  }

  /** Moves up to `limit` messages into `batch`. False when `bytes` do not suffice for the next one. */
  take(ownership: Ownership, batch: IncomingRecord[], limit: number, bytes: ByteCredit): boolean {
    const { cursor } = this;
    const end = this.#log.end;
    for (let taken = 0; taken < limit && cursor.ready(end); taken++) {
      const offset = cursor.next;
      const message = this.#log.get(offset);
      if (message === undefined) {
        this.#pass();
        continue;
      }
      if (!bytes.take(message.body.length)) return false;
      const redelivered = cursor.delivered(offset);
      cursor.take();
      batch.push(new MemoryRecord(message, ownership, offset, cursor.attempts(offset), redelivered));
    }
    return true;
  }

  /** Retention drops nothing that a group has yet to settle, but a group that came late to a ledger finds holes. */
  #pass(): void {
    this.cursor.settle(this.cursor.take());
  }
}
