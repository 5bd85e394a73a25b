import type { ByteCredit, IncomingRecord, ReceiverSink, Source } from '@anymq/core/adapter';
import type { Journal } from './journal.js';
import type { Message } from './topic.js';

/** What a group's file says, line by line. The first line is what its members agreed on. */
export type GroupLine =
  | { readonly from: number; readonly charter: string }
  | { readonly settled: readonly number[] }
  | { readonly failed: number; readonly attempts: number };

/** A record with what this adapter needs to know again when core settles it. */
export interface FileRecord extends IncomingRecord {
  readonly offset: number;
}

/** One receiver's place in its group. */
export interface Member {
  readonly source: Source;
  readonly sink: ReceiverSink;
  readonly bytes: ByteCredit;
  /** Records that core still takes. */
  credit: number;
}

/** Messages that must go one after another: those of some keys. */
interface Lane {
  /** Offsets nobody has, oldest first; those before `next` are gone. */
  waiting: number[];
  next: number;
  /** Offsets that `owner` has. While there are any, nobody else gets a message of this lane: that keeps a key in order. */
  readonly taken: Set<number>;
  owner: Member | undefined;
}

const LANES = 32;

/** A group on a topic: which messages it has yet to settle, and who of its members has them. */
export class Group {
  readonly charter: string;
  readonly #messages: readonly Message[];
  readonly #journal: Journal<GroupLine>;
  readonly #lanes: Lane[];
  readonly #members = new Set<Member>();
  /** Everything below is settled, and so are these above it. */
  #done: number;
  readonly #settled = new Set<number>();
  readonly #attempts = new Map<number, number>();
  /** Offsets that somebody had before. */
  readonly #given = new Set<number>();
  #seen: number;
  #unsaved: GroupLine[] = [];
  #saving: Promise<void> = Promise.resolve();
  #dispatching = false;
  #turn = 0;

  /** @param lanes in a topic that is one lane as a whole, one */
  constructor(messages: readonly Message[], journal: Journal<GroupLine>, lines: readonly GroupLine[], lanes = LANES) {
    this.#lanes = Array.from({ length: lanes }, () => newLane());
    const { from, charter } = lines[0] as { readonly from: number; readonly charter: string };
    this.charter = charter;
    this.#messages = messages;
    this.#journal = journal;
    this.#done = from;
    this.#seen = from;
    for (const line of lines) this.#replay(line);
    this.announce();
  }

  get members(): number {
    return this.#members.size;
  }

  get inFlight(): number {
    return this.#lanes.reduce((sum, { taken }) => sum + taken.size, 0);
  }

  get lag(): number {
    return this.#messages.length - this.#done - this.#settled.size;
  }

  /** The topic has more messages, or a member more credit. */
  announce(): void {
    for (; this.#seen < this.#messages.length; this.#seen++) {
      const settled = this.#seen < this.#done || this.#settled.has(this.#seen);
      if (!settled) this.#laneOf(this.#seen).waiting.push(this.#seen);
    }
    if (this.#dispatching) return;
    this.#dispatching = true;
    setImmediate(() => this.#dispatch());
  }

  join(member: Member): void {
    this.#members.add(member);
  }

  /** What the member has goes back to the front of its lanes, in order: others get it at once. */
  leave(member: Member): void {
    if (!this.#members.delete(member)) return;
    for (const lane of this.#lanes.filter(({ owner }) => owner === member)) {
      const back = [...lane.taken].sort((a, b) => a - b);
      lane.waiting = [...back, ...lane.waiting.slice(lane.next)];
      lane.next = 0;
      lane.taken.clear();
      lane.owner = undefined;
    }
    this.announce();
  }

  settle(member: Member, records: readonly FileRecord[]): void {
    // Who left has nothing to settle: its messages are somebody else's.
    if (!this.#members.has(member)) return;
    const settled = records.map(({ offset }) => offset);
    for (const offset of settled) this.#settle(offset);
    this.#unsaved.push({ settled });
    this.#saveSoon();
    this.announce();
  }

  hold(member: Member, { offset }: FileRecord, attempts: number): void {
    if (!this.#members.has(member)) return;
    this.#attempts.set(offset, attempts);
    this.#unsaved.push({ failed: offset, attempts });
    this.#saveSoon();
  }

  // #region save
  /** Resolves when everything settled so far is on the disk. What could not be written is tried again with the next call. */
  save(): Promise<void> {
    this.#saving = this.#saving
      .catch(() => {})
      .then(async () => {
        const lines = this.#unsaved;
        if (lines.length === 0) return;
        this.#unsaved = [];
        await this.#journal.append(lines).catch((error) => {
          this.#unsaved = [...lines, ...this.#unsaved];
          throw error;
        });
      });
    return this.#saving;
  }

  /** Settlements are never waited for: one that is lost in a crash is a duplicate, and those are allowed then. */
  #saveSoon(): void {
    this.save().catch(() => {});
  }
  // #endregion

  async close(): Promise<void> {
    await this.save();
    await this.#journal.close();
  }

  // #region dispatch
  /** One message of each lane in turn, so that no lane uses up a member's credit. */
  #dispatch(): void {
    this.#dispatching = false;
    this.#turn = (this.#turn + 1) % this.#lanes.length;
    const batches = new Map<Member, IncomingRecord[]>();
    let lanes = [...this.#lanes.slice(this.#turn), ...this.#lanes.slice(0, this.#turn)];
    while (lanes.length > 0) lanes = lanes.filter((lane) => this.#feed(lane, batches));
    for (const [member, records] of batches) member.sink.deliver(records);
  }

  /** False when the lane has nothing more to give, or nobody takes it. */
  #feed(lane: Lane, batches: Map<Member, IncomingRecord[]>): boolean {
    const offset = lane.waiting[lane.next];
    if (offset === undefined) {
      lane.waiting = [];
      lane.next = 0;
      return false;
    }
    const member = lane.owner ?? this.#mostCredit();
    const message = this.#messages[offset] as Message;
    if (member === undefined || member.credit === 0 || !member.bytes.take(message.body.length)) return false;
    member.credit -= 1;
    lane.owner = member;
    lane.taken.add(offset);
    lane.next += 1;
    const records = batches.get(member) ?? [];
    batches.set(member, records);
    records.push(this.#record(member, offset, message));
    return true;
  }

  #mostCredit(): Member | undefined {
    return [...this.#members].reduce<Member | undefined>(
      (most, one) => (one.credit > (most?.credit ?? 0) ? one : most),
      undefined,
    );
  }
  // #endregion

  #record({ source }: Member, offset: number, message: Message): FileRecord {
    const redelivered = this.#given.has(offset);
    this.#given.add(offset);
    return {
      ...message,
      source,
      offset,
      position: String(offset),
      attempts: this.#attempts.get(offset) ?? 0,
      redelivered,
    };
  }

  #settle(offset: number): void {
    const lane = this.#laneOf(offset);
    lane.taken.delete(offset);
    if (lane.taken.size === 0) lane.owner = undefined;
    this.#markSettled(offset);
  }

  #markSettled(offset: number): void {
    this.#settled.add(offset);
    this.#attempts.delete(offset);
    this.#given.delete(offset);
    while (this.#settled.delete(this.#done)) this.#done += 1;
  }

  #replay(line: GroupLine): void {
    if ('settled' in line) for (const offset of line.settled) this.#markSettled(offset);
    if (!('failed' in line)) return;
    this.#attempts.set(line.failed, line.attempts);
    this.#given.add(line.failed);
  }

  /** Without a key no order is promised, so such messages are spread. */
  #laneOf(offset: number): Lane {
    const { key } = this.#messages[offset] as Message;
    return this.#lanes[(key === undefined ? offset : hash(key)) % this.#lanes.length] as Lane;
  }
}

const newLane = (): Lane => ({ waiting: [], next: 0, taken: new Set(), owner: undefined });

function hash(key: string): number {
  let sum = 0;
  for (let i = 0; i < key.length; i++) sum = (Math.imul(sum, 31) + key.charCodeAt(i)) >>> 0;
  return sum;
}
