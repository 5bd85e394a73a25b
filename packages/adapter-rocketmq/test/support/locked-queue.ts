import type { Client, SimpleConsumer } from '../../src/client.js';
import { reply } from './reply.js';

/** What a broker knows of a queue that somebody has locked. */
interface Lock {
  readonly attempt: string;
  /** Handles of an earlier answer are confirmed, and void. */
  readonly answer: number;
  readonly first: number;
  readonly acknowledged: boolean[];
  until: number;
}

/** A request of the library: keeps what it is given, as `setX` or `addEntries`. */
class Request {
  readonly fields: Record<string, unknown> = {};
  readonly entries: Request[] = [];

  constructor() {
    // biome-ignore lint/correctness/noConstructorReturn: it has as many setters as the library's have
    return new Proxy(this, { get: (target, name) => target.#member(String(name)) });
  }

  #member(name: string): unknown {
    if (name === 'fields') return this.fields;
    if (name === 'entries') return this.entries;
    if (name === 'addEntries') return () => this.entries[this.entries.push(new Request()) - 1];
    return (value: unknown) => {
      this.fields[name] = value;
    };
  }
}

/**
 * One queue of a keyed topic, as RocketMQ 5.3 keeps it: given to one request at a time, always from its first message that is not
 * acknowledged, and on a crash as it was when it was last written down.
 */
export class LockedQueue {
  /** Everything before it is acknowledged. */
  done = 0;
  /** Calls are refused. */
  down = false;
  /** With messages. */
  answers = 0;
  #lock: Lock | undefined;
  #end = 0;
  #waiting: (() => void)[] = [];

  append(messages: number): void {
    this.#end += messages;
    this.#wake();
  }

  /** Nothing that was acknowledged from `done` on has been. */
  crash(done: number): void {
    this.done = done;
    this.#lock = undefined;
    this.#wake();
  }

  /** Polls end without a message. */
  close(): void {
    this.down = true;
    this.#wake();
  }

  /** What the adapter asks it by. */
  client(): Client<SimpleConsumer> {
    const queue = { queueId: 0, permission: 4, broker: { id: 0, name: 'a', endpoints: {} }, toProtobuf() {} };
    const client = {
      rpc: {
        receive: (_: unknown, request: Request) => this.#receive(request.fields),
        call: async (method: string, _: unknown, request: Request) => this.#call(method, request),
      },
      endpoints: {},
      protocol: {
        service: new Proxy({}, { get: () => Request }),
        definition: { FilterExpression: Request, FilterType: {}, Code: {} },
        resource: () => ({}),
        duration: (ms: number) => ms,
      },
      queues: async () => [queue],
      stop: async () => {},
    };
    return client as unknown as Client<SimpleConsumer>;
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #receive({ setAttemptId, setBatchSize, setInvisibleDuration }: Record<string, unknown>): Promise<unknown[]> {
    const attempt = String(setAttemptId);
    while (!this.down && (this.#end === this.done || this.#isLockedTo(attempt))) {
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
    if (this.down) return [];
    const count = Math.min(Number(setBatchSize), this.#end - this.done);
    this.answers++;
    const until = performance.now() + Number(setInvisibleDuration);
    const acknowledged = Array.from({ length: count }, () => false);
    this.#lock = { attempt, answer: this.answers, first: this.done, acknowledged, until };
    return acknowledged.map((_, index) => reply(this.done + index, `${this.answers}/${this.done + index}`, 'k'));
  }

  #isLockedTo(attempt: string): boolean {
    const lock = this.#lock;
    if (lock === undefined || lock.attempt === attempt || performance.now() >= lock.until) return false;
    return lock.acknowledged.includes(false);
  }

  #call(method: string, request: Request): unknown {
    if (this.down) throw new Error('No answer.');
    const handles = method === 'ackMessage' ? request.entries.map(({ fields }) => fields.setReceiptHandle) : [];
    for (const handle of handles) this.#acknowledge(String(handle));
    const handle = String(request.fields.setReceiptHandle);
    return { getStatus: () => undefined, getEntriesList: () => [], getReceiptHandle: () => handle };
  }

  #acknowledge(handle: string): void {
    const [answer, offset] = handle.split('/').map(Number) as [number, number];
    const lock = this.#lock;
    if (lock?.answer !== answer) return;
    lock.acknowledged[offset - lock.first] = true;
    const open = lock.acknowledged.indexOf(false);
    this.done = lock.first + (open < 0 ? lock.acknowledged.length : open);
    if (open < 0) this.#wake();
  }
}
