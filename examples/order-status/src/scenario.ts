import type { Messaging } from '@anymq/core';
import { repairCatalogue, writeCatalogue } from './catalogue.js';
import { type Evidence, wantedOf } from './checks.js';
import { connect, type Place } from './engine.js';
import { Stalled } from './errors.js';
import { expireOrders } from './expiry.js';
import { Follower } from './follower.js';
import { type Host, LocalHost, type MortalHost, mortalHost } from './hosts.js';
import { journalFile } from './journal.js';
import type { Ledger } from './ledger.js';
import { changeId } from './order.js';
import { type PlannedOrder, planOf, poisonOf } from './plan.js';
import { SERVICES, type ServiceName } from './reactions.js';
import { type Letter, Letters } from './repair.js';
import { type Fate, Shop } from './shop.js';
import { until } from './waiting.js';

/** What a run is made of. */
export interface ScenarioOptions {
  readonly place: Place;
  readonly orders: number;
  readonly seed: number;
  /** Names the run on a broker that others have used before. */
  readonly run: string;
  /** Of the journals: must be empty. */
  readonly folder: string;
  /** Hears what happens, for people. */
  readonly note: (line: string) => void;
}

/** What happened, and how long it took. */
export interface Outcome extends Evidence {
  readonly seconds: number;
}

/** One run: orders live, a service is killed, what got stuck is repaired. Call `run` once. */
export class Scenario {
  readonly #options: ScenarioOptions;
  readonly #plan: readonly PlannedOrder[];
  readonly #failure = new AbortController();
  readonly #followers = new Map<ServiceName, Follower>();
  readonly #hosts: readonly Host[];
  readonly #shipping: MortalHost;
  readonly #poison: string;
  #letters: readonly Letter[] = [];
  #redriven = 0;

  constructor(options: ScenarioOptions) {
    const { place, orders, seed, run, folder } = options;
    const onFailure = (error: unknown): void => this.#failure.abort(error);
    const optionsOf = (name: ServiceName) => ({ name, run, seed, folder });
    this.#options = options;
    this.#plan = planOf(orders, seed);
    this.#poison = poisonOf(this.#plan).order;
    this.#shipping = mortalHost(place, optionsOf('shipping'), onFailure);
    this.#hosts = [
      this.#shipping,
      ...SERVICES.filter((name) => name !== 'shipping').map((name) => new LocalHost(place, optionsOf(name), onFailure)),
    ];
  }

  /** Rejects with the `MessagingError` of a send or a subscription, or with `ExampleError`. */
  async run(): Promise<Outcome> {
    const { place, seed, folder, run } = this.#options;
    await writeCatalogue(folder);
    await using messaging = await connect(place, seed);
    try {
      for (const name of SERVICES) this.#followers.set(name, await Follower.open(journalFile(folder, name)));
      await Promise.all([...this.#hosts.map((host) => host.start()), expireOrders(messaging, run).start()]);
      return await this.#live(messaging);
    } finally {
      await Promise.all(this.#hosts.map((host) => host.stop()));
      await Promise.all([...this.#followers.values()].map((follower) => follower[Symbol.asyncDispose]()));
    }
  }

  async #live(messaging: Messaging): Promise<Outcome> {
    const shop = new Shop(messaging, this.#options.run);
    await shop.rehearse();
    const begin = performance.now();
    const [fates] = await Promise.all([shop.live(this.#plan), this.#killInTheMiddle()]);
    await this.#finish(messaging, fates);
    return {
      fates,
      ledgers: this.#ledgers,
      poison: this.#poison,
      letters: this.#letters,
      redriven: this.#redriven,
      lettersLeft: await this.#lettersLeft(messaging),
      seconds: (performance.now() - begin) / 1_000,
    };
  }

  /** When it has applied as many changes as there are orders, about a quarter of what will come, and the poison is under way. */
  async #killInTheMiddle(): Promise<void> {
    const { note, run } = this.#options;
    const { shipping } = this.#ledgers;
    const middle = this.#plan.length;
    const poison = changeId(run, this.#poison, 'paid');
    const inTheMiddle = () => shipping.applied >= middle && shipping.hasApplied(poison);
    await this.#until(`shipping has applied ${middle} changes, that ${this.#poison} is paid among them`, inTheMiddle);
    note(`${await this.#shipping.kill()}, when it had applied ${shipping.applied} changes.`);
    await this.#shipping.start();
    note('Started shipping again.');
  }

  /** What does not come is missing in the checks. */
  async #finish(messaging: Messaging, fates: ReadonlyMap<string, Fate>): Promise<void> {
    const wanted = [...fates.values()].reduce((sum, fate) => sum + wantedOf(fate).length, 0);
    try {
      await this.#all(wanted, ({ settled }) => settled, 'settled');
      await this.#repair(messaging);
      await this.#all(wanted, ({ applied }) => applied, 'applied');
    } catch (error) {
      if (!(error instanceof Stalled)) throw error;
      this.#options.note(error.message);
    }
  }

  async #repair(messaging: Messaging): Promise<void> {
    const { run, folder, note } = this.#options;
    const { stock } = this.#ledgers;
    const dead = new Letters(messaging, 'stock', run);
    // A journal says that a change is given up before its letter is written.
    await this.#until('the dead letters of stock are written', async () => {
      this.#letters = await dead.list();
      return this.#letters.length >= stock.deadLetters;
    });
    for (const { order, status, attempts, error, message } of this.#letters)
      note(`Dead letter of stock: ${order} is ${status}, ${attempts} calls, ${error}: ${message}`);
    await repairCatalogue(folder);
    note('Repaired the catalogue; redriving.');
    // One at a time, each only when the one before was applied: a redriven letter has left its place in its key's order.
    for (const { id, messageId } of this.#letters) {
      this.#redriven += await dead.redrive(id);
      await this.#until(`stock has applied ${messageId}`, () => stock.hasApplied(messageId));
    }
  }

  async #lettersLeft(messaging: Messaging): Promise<number> {
    const lists = SERVICES.map((name) => new Letters(messaging, name, this.#options.run).list());
    return (await Promise.all(lists)).flat().length;
  }

  get #ledgers(): Record<ServiceName, Ledger> {
    const ledger = (name: ServiceName): Ledger => (this.#followers.get(name) as Follower).ledger;
    return { stock: ledger('stock'), shipping: ledger('shipping'), notice: ledger('notice') };
  }

  #all(wanted: number, count: (ledger: Ledger) => number, word: string): Promise<void> {
    const enough = () => Object.values(this.#ledgers).every((ledger) => count(ledger) >= wanted);
    return this.#until(`every service has ${word} ${wanted} changes`, enough);
  }

  #until(what: string, done: () => boolean | Promise<boolean>): Promise<void> {
    const counts = () => SERVICES.map((name) => `${name} has applied ${this.#ledgers[name].applied}`).join(', ');
    return until({
      what: () => `waited until ${what}; ${counts()}.`,
      done: async () => {
        for (const follower of this.#followers.values()) await follower.refresh();
        return done();
      },
      pulse: () => Object.values(this.#ledgers).reduce((sum, { received }) => sum + received, 0),
      signal: this.#failure.signal,
    });
  }
}
