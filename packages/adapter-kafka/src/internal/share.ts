import type { ByteCredit, IncomingRecord, Source } from '@anymq/core/adapter';
import { decodeRecord } from '../codec.js';
import { positionOf } from '../names.js';
import { type EncodedNote, encodeNote } from './commit-note.js';
import { OffsetTracker, type Progress } from './offset-tracker.js';
import { endOf, visibleRecords } from './visible.js';
import type { FetchedPartition, StoredRecord } from './wire.js';

/** A delivered record, with the way back to where it came from. */
export interface KafkaRecord extends IncomingRecord {
  readonly share: Share;
  readonly offset: number;
}

/** A commit as the broker has it. */
export interface Stored {
  readonly offset: number;
  readonly text: string;
}

export interface ShareSettings {
  /** Of the topic on the broker. */
  readonly topic: string;
  readonly partition: number;
  readonly source: Source;
  readonly progress: Progress;
  /** What is stored with the broker now; undefined when nothing is. */
  readonly stored: Stored | undefined;
  readonly charter: string;
  /** Asked for in one request. */
  readonly maxBytes: number;
  /** Unfinished records under way at once. */
  readonly maxOpen: number;
}

/** One partition in one period of ownership: what was fetched and waits for credit, what was delivered, what is finished. */
export class Share {
  readonly partition: number;
  readonly source: Source;
  readonly #topic: string;
  readonly #charter: string;
  readonly #tracker: OffsetTracker;
  readonly #maxBytes: number;
  readonly #maxOpen: number;
  #waiting: StoredRecord[] = [];
  #head = 0;
  #waitingBytes = 0;
  /** Where to fetch next. */
  #position: number;
  /** Changes with everything that a commit would say. */
  #version = 0;
  #committed = 0;
  #stored: Stored | undefined;
  #frozen = false;
  #over = false;

  constructor({ topic, partition, source, progress, stored, charter, maxBytes, maxOpen }: ShareSettings) {
    this.partition = partition;
    this.source = source;
    this.#topic = topic;
    this.#charter = charter;
    this.#tracker = new OffsetTracker(progress);
    this.#maxBytes = maxBytes;
    this.#maxOpen = maxOpen;
    this.#stored = stored;
    this.#position = this.#tracker.next;
  }

  get position(): number {
    return this.#position;
  }

  /** Nothing of it is settled any more. */
  get over(): boolean {
    return this.#over;
  }

  /** Less than a request's worth waits: more is fetched, so that it comes before it is missed. */
  get wantsMore(): boolean {
    return !this.#frozen && (this.#head === this.#waiting.length || this.#waitingBytes < this.#maxBytes);
  }

  get deliverable(): boolean {
    return !this.#frozen && this.#head < this.#waiting.length && this.#tracker.open < this.#maxOpen;
  }

  /** There is something to commit. */
  get dirty(): boolean {
    return this.#version !== this.#committed;
  }

  /** True when it brought the share further. */
  accept(fetched: FetchedPartition): boolean {
    const end = endOf(fetched);
    if (this.#frozen || end <= this.#position) return false;
    const records = visibleRecords(fetched, this.#position);
    if (this.#head === this.#waiting.length) this.#forget();
    for (const record of records) {
      this.#waiting.push(record);
      this.#waitingBytes += sizeOf(record);
    }
    // Beyond the last record of any kind: markers at the end must not be asked for again and again.
    this.#position = end;
    if (this.#head === this.#waiting.length) this.#pass();
    return true;
  }

  /** Up to `count` records, as far as `bytes` suffice, which are under way from now on. */
  take(count: number, bytes: ByteCredit): KafkaRecord[] {
    const records: KafkaRecord[] = [];
    while (records.length < count && this.deliverable) {
      const stored = this.#waiting[this.#head] as StoredRecord;
      if (!bytes.take(stored.value?.length ?? 0)) break;
      this.#head += 1;
      this.#waitingBytes -= sizeOf(stored);
      const record = this.#deliver(stored);
      if (record !== undefined) records.push(record);
      // Finished before: it is nobody's.
      else bytes.add(stored.value?.length ?? 0);
    }
    // That these were given out is worth storing too: the next owner tells them from new ones.
    if (records.length > 0) this.#version += 1;
    if (this.#head === this.#waiting.length) {
      this.#forget();
      this.#pass();
    }
    return records;
  }

  finish(offset: number): void {
    if (!this.#over && this.#tracker.finish(offset)) this.#version += 1;
  }

  hold(offset: number, attempts: number): void {
    if (!this.#over && this.#tracker.hold(offset, attempts)) this.#version += 1;
  }

  /** What to commit now; `done` is to be called when that is stored. */
  commit(): { readonly offset: number; readonly note: EncodedNote; done(): void } {
    const version = this.#version;
    const progress = this.#tracker.progress();
    const note = encodeNote(this.#charter, progress);
    return {
      offset: progress.prefix,
      note,
      done: () => {
        this.#committed = Math.max(this.#committed, version);
        this.#stored = { offset: progress.prefix, text: note.text };
      },
    };
  }

  /** What is known, and what the broker was last known to have of it. */
  knowledge(): { readonly progress: Progress; readonly stored: Stored | undefined } {
    return { progress: this.#tracker.progress(), stored: this.#stored };
  }

  /** Something is to be stored although nothing happened yet. */
  touch(): void {
    this.#version += 1;
  }

  /** Messages that are not finished when the log ends at `end`. */
  unfinished(end: number): number {
    const { next, finishedAhead, open } = this.#tracker;
    return Math.max(0, end - next - finishedAhead) + open;
  }

  /** Nothing more is given out, and what waits is dropped; what is under way can still be settled. */
  freeze(): void {
    this.#frozen = true;
    this.#forget();
  }

  /** The period of ownership is over. */
  end(): void {
    this.freeze();
    this.#over = true;
  }

  #deliver(stored: StoredRecord): KafkaRecord | undefined {
    const offset = Number(stored.offset);
    const known = this.#tracker.deliver(offset);
    if (known === undefined) return undefined;
    const { partition, source } = this;
    const { id, key, body, headers, time, type, contentType } = decodeRecord(stored, this.#topic, partition);
    const { attempts, redelivered } = known;
    const position = positionOf(partition, offset);
    // One literal: merging objects costs more than decoding the record.
    return {
      source,
      position,
      id,
      key,
      body,
      headers,
      time,
      type,
      contentType,
      attempts,
      redelivered,
      share: this,
      offset,
    };
  }

  /** Everything fetched is delivered: what was fetched and is no message is done with. */
  #pass(): void {
    if (this.#tracker.next >= this.#position) {
      this.#position = this.#tracker.next;
      return;
    }
    this.#tracker.pass(this.#position);
    this.#position = this.#tracker.next;
    this.#version += 1;
  }

  #forget(): void {
    this.#waiting = [];
    this.#head = 0;
    this.#waitingBytes = 0;
  }
}

/** What a record keeps in memory, roughly. */
const sizeOf = ({ key, value }: StoredRecord): number => 200 + (key?.length ?? 0) + (value?.length ?? 0);
