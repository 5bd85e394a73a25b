import type { ReceiverSpec } from '../adapter/spi.js';
import { sleep } from '../clock.js';
import type { MessagingError } from '../errors.js';
import { Intake, type IntakeSettings } from './intake.js';
import { resumedSpec } from './receiver-spec.js';

/** How often it is looked whether a topic that was deleted is there again. */
const LOOK_MS = 1_000;

export interface MainIntakeSettings extends IntakeSettings {
  /** What opening it is, and what it is when it ends by itself, for errors. */
  readonly what: string;
  readonly ended: string;
  /** Ends all waiting. */
  readonly signal: AbortSignal;
  /** The topic was deleted: nothing comes until {@link back}. */
  readonly gone: (error: MessagingError) => void;
  readonly back: () => void;
}

/** What is sent to the topic itself. Where somebody deletes the topic it is received again as soon as there is one again. */
export class MainIntake {
  readonly #settings: MainIntakeSettings;
  #intake: Intake;
  #returning: Promise<void> | undefined;
  #closed = false;

  constructor(settings: MainIntakeSettings) {
    this.#settings = settings;
    this.#intake = this.#newIntake(settings.spec);
  }

  get intake(): Intake {
    return this.#intake;
  }

  /** The first time. Resolves when membership stands. */
  open(): Promise<void> {
    const { what, signal } = this.#settings;
    return this.#intake.open(what, signal);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#intake.close();
    await this.#returning;
  }

  #newIntake(spec: () => ReceiverSpec): Intake {
    const intake: Intake = new Intake({ ...this.#settings, spec, failed: (error) => this.#failed(intake, error) });
    return intake;
  }

  #failed(intake: Intake, error: unknown): void {
    const { broker, failed, gone, ended } = this.#settings;
    if (this.#closed || intake !== this.#intake) return;
    const failure = broker.wrap(error, ended);
    // A start that fails is its caller's to repeat.
    const started = intake.opened || this.#returning !== undefined;
    if (failure.code !== 'NOT_FOUND' || !started) {
      failed(error);
      return;
    }
    gone(failure);
    const before = this.#returning;
    this.#returning = this.#return(intake, failure).then(() => before);
  }

  async #return(old: Intake, failure: MessagingError): Promise<void> {
    const { spec, credit, failed, back, signal, broker } = this.#settings;
    const next = this.#newIntake(() => resumedSpec(spec()));
    this.#intake = next;
    old.lost(failure);
    const closed = old.close();
    credit.withdraw();
    try {
      await closed.catch((error) =>
        broker.runtime.log.debug('A receiver of a deleted topic did not close.', { error }),
      );
      await this.#openWhenThere(next);
      if (!this.#closed && next === this.#intake) back();
    } catch (error) {
      if (!this.#closed && !signal.aborted) failed(error);
    }
  }

  async #openWhenThere(next: Intake): Promise<void> {
    const { broker, spec, what, signal } = this.#settings;
    const { clock, random, log } = broker.runtime;
    const { topic } = spec();
    while (!this.#closed && next === this.#intake) {
      try {
        if (await broker.adapter.exists(topic)) return await next.open(what, signal);
      } catch (error) {
        const { code, retryable } = broker.wrap(error, what);
        if (signal.aborted || (code !== 'NOT_FOUND' && !retryable)) throw error;
        log.debug(`Topic '${topic.name}' cannot be received again yet.`, { error });
      }
      await sleep(clock, LOOK_MS * (0.75 + random() / 2), signal);
    }
  }
}
