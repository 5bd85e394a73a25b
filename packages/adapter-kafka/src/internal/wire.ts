/** The parts of kafkajs's brokers and records that are used here. kafkajs publishes the objects, but not all of their types. */

/** A record on its way out. */
export interface WireRecord {
  readonly key: string | null;
  readonly value: Buffer;
  /** Milliseconds, as text: kafkajs takes the number 0 for "now". */
  readonly timestamp: string;
  readonly headers: Record<string, string>;
}

/** A record on its way in. */
export interface StoredRecord {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: string;
  readonly headers: Readonly<Record<string, Buffer | Buffer[] | null | undefined>>;
  /** A transaction's marker, not a message. */
  readonly isControlRecord: boolean;
  readonly batchContext: {
    readonly producerId: string;
    readonly inTransaction: boolean;
    /** Together the last offset of the batch. Missing in what brokers before 0.11 stored. */
    readonly firstOffset?: string;
    readonly lastOffsetDelta?: number;
  };
}

export interface FetchedPartition {
  readonly partition: number;
  readonly abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[] | null;
  readonly messages: readonly StoredRecord[];
}

export interface PartitionLeader {
  readonly partitionId: number;
  readonly leader: number;
}

export interface JoinAnswer {
  readonly generationId: number;
  readonly memberId: string;
  readonly leaderId: string;
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
}

interface ByTopic<Partition> {
  readonly topic: string;
  readonly partitions: readonly Partition[];
}

interface Member {
  readonly groupId: string;
  readonly memberId: string;
}

/** kafkajs's broker, as far as it is used here. Each call is one request to one broker, without retry. */
export interface Broker {
  produce(request: {
    acks: number;
    timeout: number;
    compression: number;
    topicData: readonly ByTopic<{ partition: number; messages: readonly WireRecord[] }>[];
  }): Promise<{
    topics: readonly {
      topicName: string;
      partitions: readonly { partition: number; errorCode: number; baseOffset: string }[];
    }[];
  }>;
  fetch(request: {
    maxWaitTime: number;
    minBytes: number;
    maxBytes: number;
    isolationLevel: number;
    topics: readonly ByTopic<{ partition: number; fetchOffset: string; maxBytes: number }>[];
  }): Promise<{ responses: readonly { topicName: string; partitions: readonly FetchedPartition[] }[] }>;
  listOffsets(request: {
    replicaId: number;
    isolationLevel: number;
    topics: readonly ByTopic<{ partition: number; timestamp: number }>[];
  }): Promise<{ responses: readonly { partitions: readonly { partition: number; offset: string }[] }[] }>;
  offsetFetch(request: { groupId: string; topics: readonly ByTopic<{ partition: number }>[] }): Promise<{
    responses: readonly { partitions: readonly { partition: number; offset: string; metadata: string | null }[] }[];
  }>;
  offsetCommit(
    request: Member & {
      groupGenerationId: number;
      topics: readonly ByTopic<{ partition: number; offset: string; metadata: string }>[];
    },
  ): Promise<unknown>;
  findGroupCoordinator(request: { groupId: string; coordinatorType: number }): Promise<{
    coordinator: { nodeId: number };
  }>;
  joinGroup(
    request: Member & {
      sessionTimeout: number;
      rebalanceTimeout: number;
      groupProtocols: readonly { name: string; metadata: Buffer }[];
    },
  ): Promise<JoinAnswer>;
  syncGroup(
    request: Member & {
      generationId: number;
      groupAssignment: readonly { memberId: string; memberAssignment: Buffer }[];
    },
  ): Promise<{ memberAssignment: Buffer }>;
  heartbeat(request: Member & { groupGenerationId: number }): Promise<unknown>;
  leaveGroup(request: Member): Promise<unknown>;
  deleteGroups(groupIds: readonly string[]): Promise<unknown>;
}

/** What kafkajs has read of an answer so far. */
export interface KafkajsConnection {
  chunks: Buffer[];
  bytesBuffered: number;
  bytesNeeded: number;
  isConnected(): boolean;
}

interface Pooled {
  readonly connectionPool?: { readonly pool: readonly KafkajsConnection[] };
}

/** kafkajs's view of a cluster. */
export interface Cluster {
  readonly brokerPool?: { readonly brokers: Readonly<Record<string, Pooled>>; readonly seedBroker?: Pooled };
  getNodeIds(): readonly (number | string)[];
  findBroker(node: { nodeId: number | string }): Promise<Broker>;
  metadata(request: { topics: readonly string[] }): Promise<{
    topicMetadata: readonly { topic: string; partitionMetadata: readonly PartitionLeader[] }[];
  } | null>;
  disconnect(): Promise<void>;
}
