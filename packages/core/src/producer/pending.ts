import type { OutgoingRecord } from '../adapter/spi.js';
import { MessagingError, messageOf } from '../errors.js';
import type { TopicDefinition } from '../topic.js';
import type { Receipt } from './contract.js';

/** Where a pending send stands. Only `queued` is certainly not on the broker. */
type State = 'queued' | 'writing' | 'settled';

/** When a send was called, and until when it may take. */
export interface Call {
  /** Order of the calls: what failed goes back in this order. */
  readonly sequence: number;
  /** Which flush waits for it. */
  readonly epoch: number;
  /** On the clock's monotonic time. */
  readonly deadline: number;
  readonly timeoutMs: number;
}

type Resolve = (receipt: Receipt) => void;
type Reject = (error: unknown) => void;

/** What settles the promise that was made last: one executor for all, because one for each would live as long as its send. */
let resolveLast: Resolve;
let rejectLast: Reject;
const takeSettlers = (resolve: Resolve, reject: Reject): void => {
  resolveLast = resolve;
  rejectLast = reject;
};

/** One send on its way, from the call to its outcome. */
export class Pending {
  readonly record: OutgoingRecord;
  readonly topic: TopicDefinition;
  readonly call: Call;
  /** It has entered the buffer's bounds. */
  admitted = false;
  #state: State = 'queued';
  /** An earlier write of it may have been stored. */
  #uncertain = false;
  #lastError: unknown;
  #unlisten: (() => void) | undefined;
  readonly #resolve: Resolve;
  readonly #reject: Reject;
  readonly #released: (pending: Pending) => void;
  /** What `send` returned. */
  readonly receipt: Promise<Receipt>;

  /** @param released hears of the outcome, whatever it is; one function for all sends of a producer */
  constructor(record: OutgoingRecord, topic: TopicDefinition, call: Call, released: (pending: Pending) => void) {
    this.record = record;
    this.topic = topic;
    this.call = call;
    this.#released = released;
    this.receipt = new Promise(takeSettlers);
    this.#resolve = resolveLast;
    this.#reject = rejectLast;
  }

  get #name(): string {
    return this.topic.spec.name;
  }

  get settled(): boolean {
    return this.#state === 'settled';
  }

  /** The adapter has it now. */
  writing(): void {
    this.#state = 'writing';
  }

  stored(position: string | undefined): void {
    if (this.#settle()) this.#resolve({ id: this.record.id, topic: this.#name, position, time: this.record.time });
  }

  /** A write failed; it will be written again. */
  again(uncertain: boolean, error: unknown): void {
    if (this.settled) return;
    this.#state = 'queued';
    this.#uncertain ||= uncertain;
    this.#lastError = error;
  }

  /** Gives up with `error`, which says that the last write stored nothing; an earlier one may have. */
  failed(error: MessagingError): void {
    const unsure = this.#uncertain;
    if (this.#settle()) this.#reject(unsure ? this.#indeterminate(messageOf(error), error) : error);
  }

  expired(): void {
    this.#stop('TIMEOUT', `not confirmed within ${this.call.timeoutMs} ms`);
  }

  /** Ends when `signal` is aborted. */
  abortOn(signal: AbortSignal): void {
    const abort = (): void => {
      this.#lastError ??= signal.reason;
      this.#stop('ABORTED', 'the signal was aborted');
    };
    signal.addEventListener('abort', abort, { once: true });
    this.#unlisten = () => signal.removeEventListener('abort', abort);
  }

  #stop(code: 'TIMEOUT' | 'ABORTED', why: string): void {
    const unsure = this.#uncertain || this.#state === 'writing';
    if (!this.#settle()) return;
    const last = this.#lastError;
    if (unsure) this.#reject(this.#indeterminate(why, last));
    else
      this.#reject(
        new MessagingError(
          code,
          `Message '${this.record.id}' was not sent to '${this.#name}': ${why}${last === undefined ? '' : ` (${messageOf(last)})`}.`,
          { cause: last },
        ),
      );
  }

  #indeterminate(why: string, cause: unknown): MessagingError {
    const message = `Message '${this.record.id}' may or may not have been stored in '${this.#name}': ${why}. Send it again with the same id.`;
    return new MessagingError('INDETERMINATE', message, { cause });
  }

  #settle(): boolean {
    if (this.settled) return false;
    this.#state = 'settled';
    this.#unlisten?.();
    this.#released(this);
    return true;
  }
}
