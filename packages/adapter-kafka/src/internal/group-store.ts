import { KafkaFault, typeOf } from '../errors.js';
import { type CommitNote, decodeNote, encodeNote, nothingAbove } from './commit-note.js';
import type { Coordinator } from './coordinator.js';
import type { Leaders } from './leaders.js';
import type { Link } from './link.js';
import { logOffsets } from './log-offsets.js';
import type { Broker } from './wire.js';

/** Who commits: a member of a generation, or nobody of an empty group. */
export interface Committer {
  readonly memberId: string;
  readonly generationId: number;
}

export interface PartitionCommit {
  readonly partition: number;
  readonly offset: number;
  readonly note: string;
}

export interface GroupStoreSettings {
  readonly groupId: string;
  readonly topic: string;
  readonly charter: string;
  readonly startFrom: 'earliest' | 'latest';
  readonly link: Link;
  readonly coordinator: Coordinator;
  readonly leaders: Leaders;
}

/** Kafka takes commits without a member only for groups that have none. */
const NOBODY: Committer = Object.freeze({ memberId: '', generationId: -1 });
/** Members that come at the same moment as we do settle who was first within a request or two. */
const FOUNDING_TRIES = 5;

/** What the group has stored with the broker: positions, and what stands beside them. */
export class GroupStore {
  readonly #settings: GroupStoreSettings;

  constructor(settings: GroupStoreSettings) {
    this.#settings = settings;
  }

  /**
   * Makes sure that the group has its charter and a position in every partition, before anybody joins: a new group's start
   * position is then fixed once for all partitions, whoever will own them. Founders that meet overwrite each other until the
   * first has joined, and none has resolved by then; from then on Kafka refuses commits of outsiders.
   */
  async found(): Promise<void> {
    for (let tries = FOUNDING_TRIES; ; tries--) {
      const notes = await this.read();
      this.check(notes);
      if (notes.size > 0) return;
      try {
        return await this.commit(NOBODY, await this.#start());
      } catch (error) {
        if (typeOf(error) !== 'UNKNOWN_MEMBER_ID') throw error;
        if (tries > 0) continue;
        // The topic was deleted and made again, and members have not left: all of it is theirs, and whoever joins begins so.
        if (this.#settings.startFrom === 'earliest') return;
        throw this.#foreign(error);
      }
    }
  }

  /** What is stored for the partitions that have a position. */
  async read(): Promise<ReadonlyMap<number, CommitNote>> {
    const { groupId, topic, leaders, coordinator } = this.#settings;
    const partitions = leaders.partitions.map((partition) => ({ partition }));
    const { responses } = await coordinator.ask((broker) =>
      broker.offsetFetch({ groupId, topics: [{ topic, partitions }] }),
    );
    const notes = new Map<number, CommitNote>();
    for (const { partition, offset, metadata } of responses.flatMap((response) => response.partitions)) {
      // kafkajs stores -1 and -2 for "latest" and "earliest" where it lost its position: that is none.
      if (Number(offset) >= 0) notes.set(partition, decodeNote(Number(offset), metadata));
    }
    return notes;
  }

  /** @throws {KafkaFault} `CONFLICT` when the group was founded with another charter */
  check(notes: ReadonlyMap<number, CommitNote>): void {
    const { charter } = this.#settings;
    for (const note of notes.values()) {
      if (note.charter === undefined || note.charter === charter) continue;
      const message = `its members have agreed on '${note.charter}', this one brings '${charter}'; use the same options, or another group`;
      throw new KafkaFault('CONFLICT', false, message);
    }
  }

  async commit(by: Committer, commits: readonly PartitionCommit[]): Promise<void> {
    const { groupId, topic, coordinator } = this.#settings;
    const { memberId, generationId: groupGenerationId } = by;
    const partitions = commits.map(({ partition, offset, note }) => ({
      partition,
      offset: String(offset),
      metadata: note,
    }));
    const request = { groupId, memberId, groupGenerationId, topics: [{ topic, partitions }] };
    await coordinator.ask((broker: Broker) => broker.offsetCommit(request));
  }

  /** Forgets the group. It must have no member any more. */
  async remove(): Promise<void> {
    await this.#settings.coordinator.ask((broker: Broker) => broker.deleteGroups([this.#settings.groupId]));
  }

  async #start(): Promise<readonly PartitionCommit[]> {
    const { link, leaders, topic, startFrom, charter } = this.#settings;
    const offsets = await logOffsets(link, leaders, topic, startFrom, leaders.partitions);
    return [...offsets].map(([partition, offset]) => ({
      partition,
      offset,
      note: encodeNote(charter, nothingAbove(offset)).text,
    }));
  }

  #foreign(cause: unknown): KafkaFault {
    const message = `group '${this.#settings.groupId}' has members but no position in '${this.#settings.topic}': something else uses its id; stop it, or use another group`;
    return new KafkaFault('CONFLICT', false, message, cause);
  }
}
