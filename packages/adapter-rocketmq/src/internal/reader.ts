import {
  type AdapterRuntime,
  type Backoff,
  messageOf,
  type Reader,
  type ReaderSink,
  type ReadRecord,
  sleep,
} from '@anymq/core/adapter';

import { decode, type NativeContent } from '../codec.js';
import { classify, fault } from '../errors.js';
import { Budget } from './budget.js';
import { MAX_PULL_BYTES, type Pulled, Pulls, type PullsSettings } from './pulls.js';
import { RemotingError } from './remoting.js';
import type { ReadableQueues } from './survey.js';

/** Bodies that are read and not handed over yet. */
const MAX_AHEAD_BYTES = 1024 * 1024;
/** How often it is asked where the topic's queues are: there may be more, or elsewhere. */
const LOOK_MS = 30_000;
/** An empty answer comes at the end of a wait; sooner ones must not become a busy loop. */
const MIN_EMPTY_MS = 100;

export interface ReaderSettings {
  readonly runtime: AdapterRuntime;
  /** Name on the broker. */
  readonly topic: string;
  /** The broker keeps more than its queues say: they begin at 0 in any case. */
  readonly compacted: boolean;
  readonly pulls: PullsSettings;
  queues(): Promise<readonly ReadableQueues[]>;
  closed(): void;
}

/** A queue, and how far it was read. */
interface Course {
  readonly broker: string;
  readonly queue: number;
  offset: number;
}

/** Reads all queues of a topic by offset, from the brokers themselves: the position is the reader's own. */
export class RocketmqReader implements Reader {
  readonly #sink: ReaderSink;
  readonly #settings: ReaderSettings;
  readonly #stopping = new AbortController();
  readonly #budget = new Budget(MAX_AHEAD_BYTES);
  /** Of masters, by name. */
  readonly #addresses = new Map<string, string>();
  readonly #connections = new Map<string, Pulls>();
  readonly #courses = new Map<string, Course>();
  /** One batch after the other. */
  #turn: Promise<void> = Promise.resolve();
  readonly #running: Promise<unknown>[] = [];

  constructor(sink: ReaderSink, settings: ReaderSettings) {
    this.#sink = sink;
    this.#settings = settings;
  }

  /** Resolves when it stands where it begins. Rejects, and leaves nothing open, when it cannot. */
  async start(from: 'earliest' | 'latest'): Promise<void> {
    try {
      await this.#look(from);
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#running.push(this.#watch());
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    this.#budget.lift();
    await Promise.all([...this.#connections.values()].map((each) => each.close()));
    await Promise.all(this.#running);
    this.#settings.closed();
  }

  get #closed(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Learns where the queues are. What is new is read, from `from` on. */
  async #look(from: 'earliest' | 'latest'): Promise<void> {
    const found = await this.#settings.queues();
    const fresh: Omit<Course, 'offset'>[] = [];
    for (const { broker, address, count } of found) {
      if (address !== undefined) this.#addresses.set(broker, address);
      for (let queue = 0; queue < count; queue++) {
        if (!this.#courses.has(`${broker}/${queue}`)) fresh.push({ broker, queue });
      }
    }
    const begun = await Promise.all(fresh.map((each) => this.#begin(each, from)));
    if (this.#closed) return;
    for (const course of begun) {
      const name = `${course.broker}/${course.queue}`;
      // Somebody else may have looked meanwhile.
      if (this.#courses.has(name)) continue;
      this.#courses.set(name, course);
      this.#running.push(this.#run(course));
    }
  }

  async #begin(course: Omit<Course, 'offset'>, from: 'earliest' | 'latest'): Promise<Course> {
    const { topic, compacted } = this.#settings;
    const pulls = this.#to(course.broker);
    const offset = compacted && from === 'earliest' ? 0 : await pulls.offsetOf(topic, course.queue, from);
    return { ...course, offset };
  }

  async #watch(): Promise<void> {
    while (!this.#closed) {
      await this.#pause(LOOK_MS);
      if (!this.#closed) await this.#lookAgain();
    }
  }

  /** Queues that were added since hold nothing that is older. */
  async #lookAgain(): Promise<void> {
    await this.#look('earliest').catch((error) => this.#debug('its queues could not be asked for', error));
  }

  /** One queue, from where it stands, for as long as the reader is open. */
  async #run(course: Course): Promise<void> {
    let backoff: Backoff | undefined;
    let more = true;
    while (!this.#closed) {
      try {
        more = await this.#step(course, more);
        backoff = undefined;
      } catch (error) {
        if (this.#hopeless(error)) return;
        this.#debug(`queue ${course.broker}/${course.queue} could not be read`, error);
        backoff ??= this.#settings.runtime.backoff();
        await this.#pause(backoff.next());
        await this.#lookAgain();
      }
    }
  }

  /**
   * @param more there may be more at once: it is taken in large pieces, within the budget. Else one message is waited for, which
   * every queue may at the same time
   */
  async #step(course: Course, more: boolean): Promise<boolean> {
    const { clock } = this.#settings.runtime;
    const reserved = more ? MAX_PULL_BYTES : 0;
    await this.#budget.take(reserved);
    const began = clock.monotonic();
    let bytes = 0;
    try {
      const { messages, next } = await this.#ask(course, more);
      if (this.#closed) return false;
      const moved = next !== course.offset;
      if (messages.length > 0) bytes = this.#handOver(messages);
      // Only now: what cannot be understood must not be passed over.
      course.offset = next;
      const early = clock.monotonic() - began < MIN_EMPTY_MS;
      if (messages.length === 0 && !more && !moved && early) await this.#pause(MIN_EMPTY_MS);
      return moved;
    } finally {
      this.#budget.give(reserved - bytes);
    }
  }

  async #ask({ broker, queue, offset }: Course, more: boolean): Promise<Pulled> {
    const pulls = this.#to(broker);
    const place = { topic: this.#settings.topic, queue, offset };
    try {
      return await (more ? pulls.pull(place) : pulls.wait(place));
    } catch (error) {
      // A connection that gives no answers may be dead without a word.
      if (!(error instanceof RemotingError)) await this.#drop(broker, pulls);
      throw error;
    }
  }

  /** In its turn. Returns the bytes of bodies that are held until then. */
  #handOver(messages: readonly NativeContent[]): number {
    const now = this.#settings.runtime.clock.now();
    const records = messages.map((each): ReadRecord => ({ position: each.messageId, ...decode(each, now) }));
    const bytes = records.reduce((sum, { body }) => sum + body.length, 0);
    this.#turn = this.#turn.then(async () => {
      if (!this.#closed) await this.#sink.read(records);
      this.#budget.give(bytes);
    });
    return bytes;
  }

  #to(broker: string): Pulls {
    const found = this.#connections.get(broker);
    if (found !== undefined) return found;
    const address = this.#addresses.get(broker);
    if (address === undefined || this.#closed) throw fault('UNAVAILABLE', `RocketMQ has no master of '${broker}' now.`);
    const made = new Pulls(address, this.#settings.pulls);
    this.#connections.set(broker, made);
    return made;
  }

  async #drop(broker: string, pulls: Pulls): Promise<void> {
    if (this.#connections.get(broker) === pulls) this.#connections.delete(broker);
    await pulls.close();
  }

  /** Only somebody can change it: rights, a certificate, a topic that is not there any more. */
  #hopeless(error: unknown): boolean {
    if (this.#closed) return true;
    const { code, retryable } = classify(error);
    if (retryable || code === 'INTERNAL' || code === 'CLOSED') return false;
    this.#stopping.abort();
    this.#budget.lift();
    this.#sink.failed(error);
    return true;
  }

  async #pause(ms: number): Promise<void> {
    await sleep(this.#settings.runtime.clock, ms, this.#stopping.signal).catch(() => {});
  }

  #debug(what: string, error: unknown): void {
    const { runtime, topic } = this.#settings;
    if (!this.#closed) runtime.log.debug(`Reading topic ${topic}: ${what}: ${messageOf(error)}`);
  }
}
