import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { MemoryBroker } from '@anymq/adapter-memory';
import type { BrokerConfig, Messaging } from '@anymq/core';
import { connect, type Place } from './engine.js';
import { ExampleError } from './errors.js';
import { Service, type ServiceOptions } from './service.js';
import type { WorkerOrder } from './worker.js';

/** Where a service runs. */
export interface Host {
  /** Resolves when it has joined its group. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A service that can be killed, and started again. */
export interface MortalHost extends Host {
  /** At once and without a word to the broker. Resolves with what was done, for people. */
  kill(): Promise<string>;
}

/** Hears of what ends the run. */
export type OnFailure = (error: unknown) => void;

const WORKER = fileURLToPath(new URL('./worker.js', import.meta.url));

/** A host whose service really dies when it is killed; in memory as far as that goes within one process. */
export const mortalHost = (place: Place, options: ServiceOptions, onFailure: OnFailure): MortalHost =>
  place.engine === 'memory'
    ? new CutHost(place.broker, options, onFailure)
    : new ProcessHost(place.config, options, onFailure);

/** In this process, with a messaging of its own. */
export class LocalHost implements Host {
  readonly #place: Place;
  readonly #options: ServiceOptions;
  readonly #onFailure: OnFailure;
  #messaging: Messaging | undefined;
  #service: Service | undefined;

  constructor(place: Place, options: ServiceOptions, onFailure: OnFailure) {
    this.#place = place;
    this.#options = options;
    this.#onFailure = onFailure;
  }

  async start(): Promise<void> {
    this.#messaging = await connect(this.#place, this.#options.seed);
    this.#messaging.on((event) => {
      if (event.type === 'subscription-failed') this.#onFailure(event.error);
    });
    this.#service = await Service.start(this.#messaging, this.#options);
  }

  async stop(): Promise<void> {
    await this.#service?.stop();
    await this.#messaging?.close();
  }

  /** Closes its journal and nothing else; what is left of it is closed when `stop` is called. */
  async abandon(): Promise<void> {
    await this.#service?.abandon();
    this.#service = undefined;
  }
}

/** In this process, on a way of its own to the broker in memory: a kill cuts that way, and nothing is closed before. */
class CutHost implements MortalHost {
  readonly #broker: MemoryBroker;
  readonly #options: ServiceOptions;
  readonly #onFailure: OnFailure;
  #alive: { readonly way: MemoryBroker; readonly host: LocalHost } | undefined;
  #remains: Promise<void> = Promise.resolve();

  constructor(broker: MemoryBroker, options: ServiceOptions, onFailure: OnFailure) {
    this.#broker = broker;
    this.#options = options;
    this.#onFailure = onFailure;
  }

  async start(): Promise<void> {
    const way = this.#broker.way();
    const host = new LocalHost({ engine: 'memory', broker: way }, this.#options, this.#onFailure);
    this.#alive = { way, host };
    await host.start();
  }

  async kill(): Promise<string> {
    const { way, host } = this.#alive as { way: MemoryBroker; host: LocalHost };
    way.setAvailability('unavailable');
    await host.abandon();
    // Only to free its timers: what it says on its way out does not get through.
    this.#remains = host.stop();
    return `Cut ${this.#options.name} off (in memory there is no process to kill)`;
  }

  async stop(): Promise<void> {
    await this.#alive?.host.stop();
    await this.#remains;
  }
}

/** A process of its own. */
class ProcessHost implements MortalHost {
  readonly #order: WorkerOrder;
  readonly #onFailure: OnFailure;
  #child: ChildProcess | undefined;
  #ending = false;

  constructor(broker: BrokerConfig, options: ServiceOptions, onFailure: OnFailure) {
    this.#order = { broker, options };
    this.#onFailure = onFailure;
  }

  async start(): Promise<void> {
    this.#ending = false;
    const child = fork(WORKER, [JSON.stringify(this.#order)]);
    this.#child = child;
    const ended = new Promise<never>((_resolve, reject) =>
      child.once('exit', (code, signal) => {
        const error = new ExampleError(
          `The process of ${this.#order.options.name} ended: ${signal ?? `code ${code}`}.`,
        );
        if (!this.#ending) this.#onFailure(error);
        reject(error);
      }),
    );
    ended.catch(() => {});
    await Promise.race([once(child, 'message'), ended]);
  }

  async kill(): Promise<string> {
    const { child, exited } = this.#end();
    child.kill('SIGKILL');
    const [, signal] = await exited;
    if (signal !== 'SIGKILL') throw new ExampleError(`Wanted to kill process ${child.pid}, but it ended by itself.`);
    return `Killed process ${child.pid} of ${this.#order.options.name} with SIGKILL`;
  }

  async stop(): Promise<void> {
    if (this.#child === undefined) return;
    const { child, exited } = this.#end();
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.disconnect();
    await exited;
  }

  #end(): { readonly child: ChildProcess; readonly exited: Promise<unknown[]> } {
    const child = this.#child as ChildProcess;
    this.#ending = true;
    return { child, exited: once(child, 'exit') };
  }
}
