import type { Clock } from '@anymq/core/adapter';
import type { TlsMaterial } from '../client.js';
import type { NativeContent } from '../codec.js';
import type { Keys } from './keys.js';
import { Remoting, RemotingError } from './remoting.js';
import { decodeStored } from './stored.js';

/** Request codes of the remoting protocol. */
const CODE = { pull: 11, maxOffset: 30, minOffset: 31 } as const;
/** Answers to a pull beside success: nothing there yet, once more, and not there any more. */
const NOT_FOUND = 19;
const RETRY_AT_ONCE = 20;
const OFFSET_MOVED = 21;
/** Every broker has it from its start: a name of our own would become a group that stays. */
const GROUP = 'TOOLS_CONSUMER';
/** The request brings its subscription with it; and: it waits until there is something. */
const WITH_SUBSCRIPTION = 4;
const WAITING = 2;
/** How long a broker waits, and how late it looks whether that is over. */
const WAIT_MS = 5_000;
const LOOK_MS = 5_000;
/** The broker gives no more in one answer, unless one message is larger alone. */
const MAX_BATCH = 32;

/** The most bytes that a broker gives at once. */
export const MAX_PULL_BYTES = 256 * 1024;

/** One queue of a topic, and the offset to read next. */
export interface Place {
  readonly topic: string;
  readonly queue: number;
  readonly offset: number;
}

export interface Pulled {
  readonly messages: readonly NativeContent[];
  /** The offset to read next. */
  readonly next: number;
}

export interface PullsSettings {
  readonly clock: Clock;
  readonly credentials: Keys | undefined;
  readonly timeoutMs: number;
  readonly tls: false | TlsMaterial;
}

/** Reads queues of one broker by offset, over a connection of its own. Nothing is consumed, and no position is kept. */
export class Pulls {
  readonly #remoting: Remoting;
  readonly #timeoutMs: number;

  constructor(address: string, settings: PullsSettings) {
    this.#remoting = new Remoting(address, settings);
    this.#timeoutMs = settings.timeoutMs;
  }

  /** Where a queue begins or ends. */
  async offsetOf(topic: string, queueId: number, end: 'earliest' | 'latest'): Promise<number> {
    const code = end === 'earliest' ? CODE.minOffset : CODE.maxOffset;
    const { fields } = await this.#remoting.call(code, { topic, queueId });
    return Math.max(0, Number(fields.offset));
  }

  /** What is there. */
  pull(place: Place): Promise<Pulled> {
    return this.#pull(place, MAX_BATCH, 0);
  }

  /** As soon as there is something the first of it, or nothing after some seconds. */
  wait(place: Place): Promise<Pulled> {
    return this.#pull(place, 1, WAIT_MS);
  }

  close(): Promise<void> {
    return this.#remoting.close();
  }

  async #pull({ topic, queue, offset }: Place, maxMsgNums: number, waitMs: number): Promise<Pulled> {
    const fields = {
      consumerGroup: GROUP,
      topic,
      queueId: queue,
      queueOffset: offset,
      maxMsgNums,
      sysFlag: waitMs === 0 ? WITH_SUBSCRIPTION : WITH_SUBSCRIPTION | WAITING,
      commitOffset: 0,
      suspendTimeoutMillis: waitMs,
      subscription: '*',
      subVersion: 0,
      expressionType: 'TAG',
    };
    const timeoutMs = waitMs === 0 ? this.#timeoutMs : waitMs + LOOK_MS + this.#timeoutMs;
    const answer = await this.#remoting.ask(CODE.pull, fields, undefined, timeoutMs);
    const told = (name: string): number => Number(answer.fields[name] ?? offset);
    switch (answer.code) {
      case 0: {
        const messages = decodeStored(answer.body).filter((each) => each.offset >= offset);
        return { messages, next: Math.max(told('nextBeginOffset'), (messages.at(-1)?.offset ?? -1) + 1) };
      }
      case NOT_FOUND:
      case RETRY_AT_ONCE:
        return { messages: [], next: Math.max(offset, Math.min(told('nextBeginOffset'), told('maxOffset'))) };
      case OFFSET_MOVED:
        // Below what is kept, or above what a broker that was killed still has: to the nearest that there is.
        return { messages: [], next: Math.max(told('minOffset'), Math.min(offset, told('maxOffset'))) };
      default:
        throw new RemotingError(CODE.pull, answer);
    }
  }
}
