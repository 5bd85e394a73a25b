import type { IncomingRecord, Source, Timer } from '@anymq/core/adapter';
import { received, type StoredMessage } from '../codec.js';
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

/** A message on its way to a member. */
export interface MemoryRecord extends IncomingRecord {
  readonly ownership: Ownership;
  readonly offset: number;
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

  constructor(partition: number, log: Log, start: number) {
    this.partition = partition;
    this.#log = log;
    this.cursor = new Cursor(start);
  }

  get lag(): number {
    return this.cursor.unsettled(this.#log.end);
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

  /** Moves up to `limit` messages into `batch`. */
  take(ownership: Ownership, batch: IncomingRecord[], limit: number): void {
    const { cursor } = this;
    const end = this.#log.end;
    for (let taken = 0; taken < limit && cursor.ready(end); taken++) {
      const offset = cursor.next;
      const redelivered = cursor.delivered(offset);
      cursor.take();
      // Retention never drops what a group has yet to settle.
      const message = this.#log.get(offset) as StoredMessage;
      batch.push(received(message, ownership, offset, cursor.attempts(offset), redelivered));
    }
  }
}
