import { type Clock, messageOf, type Timer } from '@anymq/core/adapter';
import { type Channel, type Connection, sever } from '../client.js';

/** The broker gives up a client after two to three intervals without a byte of it. */
const PATIENCE_INTERVALS = 2;
/** Questions per interval. */
const BEATS = 4;
/** Kept of the broker's patience: a handler that may start now does so within it. */
const MARGIN_MS = 100;

/**
 * Whether the broker must still have a connection: known from answers to questions asked on it, at once and without an event,
 * also when the process stood still. Ends a connection on which too long nothing was answered: its buckets may be others' now.
 */
export class Pulse {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #intervalMs: number;
  /** Until then the broker cannot have given up the connection. */
  #until = 0;
  #next: Timer | undefined;
  #deadline: Timer | undefined;
  #over = false;

  /** @param intervalMs the heartbeat that both sides agreed on */
  constructor(connection: Connection, clock: Clock, intervalMs: number) {
    this.#connection = connection;
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    // Nothing is owned by a connection before the broker has answered something that was asked after this.
    this.#answered(clock.monotonic());
    void this.#start();
  }

  get alive(): boolean {
    return this.#clock.monotonic() < this.#until;
  }

  stop(): void {
    this.#over = true;
    this.#next?.cancel();
    this.#deadline?.cancel();
  }

  async #start(): Promise<void> {
    try {
      const channel = await this.#connection.createChannel();
      // What breaks it shows in the connection, or in the deadline.
      channel.on('error', () => {});
      await this.#beat(channel);
    } catch (error) {
      this.#end(messageOf(error));
    }
  }

  /** The setting means nothing on a channel without consumers: what counts is that it is answered. */
  async #beat(channel: Channel): Promise<void> {
    const asked = this.#clock.monotonic();
    await channel.prefetch(1);
    if (this.#over) return;
    // Who asked meanwhile was told that it is over, and has dropped messages: it must not live on without them.
    if (!this.alive) return this.#end('it answered too late');
    // The broker counts from when it got the question; we count from when we asked it.
    this.#answered(asked);
    this.#next = this.#clock.setTimer(this.#intervalMs / BEATS, () => {
      this.#beat(channel).catch((error) => this.#end(messageOf(error)));
    });
  }

  #answered(asked: number): void {
    this.#until = asked + PATIENCE_INTERVALS * this.#intervalMs - MARGIN_MS;
    this.#deadline?.cancel();
    const left = Math.max(0, this.#until - this.#clock.monotonic());
    this.#deadline = this.#clock.setTimer(left, () => this.#end('it has not answered for too long'));
  }

  #end(why: string): void {
    if (this.#over) return;
    this.stop();
    this.#until = 0;
    sever(this.#connection, `RabbitMQ may have given up this connection: ${why}`);
  }
}
