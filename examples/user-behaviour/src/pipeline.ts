import { appendFile } from 'node:fs/promises';
import type { Delivery, Messaging, Producer } from '@anymq/core';
import type { BehaviourEvent } from './event.js';
import { Funnel, type FunnelRow } from './funnel.js';
import type { Source } from './source.js';
import { Tally } from './tally.js';
import { userBehaviour } from './topics.js';

/** Sends that may be without their confirmation at once. */
const SENDS_UNDER_WAY = 2_000;
const BATCH_SIZE = 200;
const STALL_MS = 60_000;
const SEQUENCE = 'sequence';

/** What the run has come to. */
export interface Counts {
  read: number;
  invalid: number;
  sent: number;
}

/** What a run did. */
export interface Result extends Counts {
  readonly groups: {
    readonly funnel: { readonly handled: number; readonly duplicates: number; readonly orderViolations: number };
    readonly archive: { readonly handled: number; readonly duplicates: number; readonly batches: number };
  };
  readonly funnel: readonly FunnelRow[];
}

export interface PipelineOptions {
  readonly source: Source;
  /** JSON-lines file that the archive group appends to. */
  readonly archiveFile: string;
  /** A line of the input that is no event. */
  readonly onInvalid: (line: number, problem: string) => void;
  readonly onProgress: (counts: Counts & { readonly funnel: number; readonly archive: number }) => void;
  /** Stops reading; what was sent is handled to its end. */
  readonly signal: AbortSignal;
}

/** The service: reads events, sends them keyed by session, and handles them in two groups. Knows nothing of the broker. */
export class Pipeline {
  readonly #messaging: Messaging;
  readonly #options: PipelineOptions;
  readonly #counts: Counts = { read: 0, invalid: 0, sent: 0 };
  readonly #funnel = new Funnel();
  readonly #tallies = { funnel: new Tally(), archive: new Tally() };
  readonly #sequences = new Map<string, number>();
  #batches = 0;
  #done: (() => void) | undefined;
  #moved = 0;

  constructor(messaging: Messaging, options: PipelineOptions) {
    this.#messaging = messaging;
    this.#options = options;
  }

  /** Resolves when both groups have handled everything that was sent. */
  async run(): Promise<Result> {
    const funnel = this.#messaging.consumer({ group: 'funnel' });
    funnel.subscribe(userBehaviour, (delivery) => this.#count(delivery));
    const archive = this.#messaging.consumer({ group: 'archive' });
    archive.subscribe(userBehaviour, (deliveries) => this.#archive(deliveries), {
      batch: { size: BATCH_SIZE, maxWaitMs: 200 },
    });
    await Promise.all([funnel.start(), archive.start()]);
    await this.#sendAll(this.#messaging.producer());
    await this.#handledAll();
    await Promise.all([funnel.close(), archive.close()]);
    return this.#result();
  }

  async #sendAll(producer: Producer): Promise<void> {
    const underWay = new Set<Promise<unknown>>();
    let failure: unknown;
    for await (const item of this.#options.source) {
      if (this.#options.signal.aborted || failure !== undefined) break;
      this.#counts.read += 1;
      if ('problem' in item) {
        this.#counts.invalid += 1;
        this.#options.onInvalid(item.line, item.problem);
        continue;
      }
      const send = this.#send(producer, item.event).catch((error) => {
        failure ??= error;
      });
      const tracked: Promise<unknown> = send.finally(() => underWay.delete(tracked));
      underWay.add(tracked);
      if (underWay.size >= SENDS_UNDER_WAY) await Promise.race(underWay);
    }
    await producer.close();
    if (failure !== undefined) throw failure;
  }

  async #send(producer: Producer, event: BehaviourEvent): Promise<void> {
    const sequence = this.#sequences.get(event.user_session) ?? 0;
    this.#sequences.set(event.user_session, sequence + 1);
    await producer.send(userBehaviour, event, { headers: { [SEQUENCE]: String(sequence) } });
    this.#counts.sent += 1;
    this.#progress();
  }

  #count(delivery: Delivery<BehaviourEvent>): void {
    if (this.#see('funnel', delivery)) this.#funnel.add(delivery.value);
    this.#progress();
  }

  async #archive(deliveries: readonly Delivery<BehaviourEvent>[]): Promise<void> {
    const fresh = deliveries.filter((delivery) => this.#see('archive', delivery));
    this.#batches += 1;
    await appendFile(this.#options.archiveFile, fresh.map(({ value }) => `${JSON.stringify(value)}\n`).join(''));
    this.#progress();
  }

  #see(group: 'funnel' | 'archive', { id, value, headers }: Delivery<BehaviourEvent>): boolean {
    return this.#tallies[group].see(id, value.user_session, Number(headers[SEQUENCE]));
  }

  #progress(): void {
    this.#moved = performance.now();
    const { funnel, archive } = this.#tallies;
    this.#options.onProgress({ ...this.#counts, funnel: funnel.handled, archive: archive.handled });
    if (this.#complete()) this.#done?.();
  }

  #complete(): boolean {
    const { funnel, archive } = this.#tallies;
    return funnel.handled >= this.#counts.sent && archive.handled >= this.#counts.sent;
  }

  /** Everything sent was handled by both; an error when nothing has moved for a minute. */
  async #handledAll(): Promise<void> {
    if (this.#complete()) return;
    let watch: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      this.#done = resolve;
      watch = setInterval(() => {
        if (performance.now() - this.#moved > STALL_MS) reject(this.#stalled());
      }, 1_000);
    }).finally(() => clearInterval(watch));
  }

  #stalled(): Error {
    const { funnel, archive } = this.#tallies;
    return new Error(
      `Nothing has moved for ${STALL_MS / 1_000} s: funnel handled ${funnel.handled} and archive ${archive.handled} of ${this.#counts.sent}.`,
    );
  }

  #result(): Result {
    const { funnel, archive } = this.#tallies;
    return {
      ...this.#counts,
      groups: {
        funnel: { handled: funnel.handled, duplicates: funnel.duplicates, orderViolations: funnel.orderViolations },
        archive: { handled: archive.handled, duplicates: archive.duplicates, batches: this.#batches },
      },
      funnel: this.#funnel.rows(),
    };
  }
}
