import type { AdapterRuntime } from '@anymq/core/adapter';
import { fault } from '../errors.js';
import type { ParsedOptions } from '../options.js';
import { keysOf } from './keys.js';
import { Remoting, RemotingError, type RemotingSettings } from './remoting.js';
import { parseLoose } from './remoting-frames.js';

/** Request codes of the remoting protocol. */
const CLUSTER_INFO = 106;
const MASTER = '0';

/** The broker of its name that takes writes. */
export interface Master {
  readonly name: string;
  readonly address: string;
}

/** Connections to name servers and brokers, and who of them is asked. */
export class Cluster {
  readonly #settings: RemotingSettings;
  readonly #nameServers: readonly string[];
  readonly #connections = new Map<string, Remoting>();
  #closed = false;

  constructor(options: ParsedOptions, { clock }: Pick<AdapterRuntime, 'clock'>) {
    this.#settings = { clock, credentials: keysOf(options), timeoutMs: options.requestTimeoutMs };
    this.#nameServers = options.nameServers;
  }

  /** The first name server that answers. */
  async nameServer<T>(ask: (server: Remoting) => Promise<T>): Promise<T> {
    let failure: unknown;
    for (const address of this.#nameServers) {
      try {
        return await ask(this.#to(address));
      } catch (error) {
        if (error instanceof RemotingError || this.#closed) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  async nameServers(ask: (server: Remoting) => Promise<unknown>): Promise<void> {
    await Promise.all(this.#nameServers.map((address) => ask(this.#to(address))));
  }

  master<T>({ address }: Master, ask: (broker: Remoting) => Promise<T>): Promise<T> {
    return ask(this.#to(address));
  }

  async everyMaster<T>(ask: (broker: Remoting) => Promise<T>): Promise<T[]> {
    return Promise.all((await this.masters()).map((master) => this.master(master, ask)));
  }

  async firstMaster(): Promise<Master> {
    const [first] = await this.masters();
    return first as Master;
  }

  /** By name; at least one. Asked anew each time: masters move, and this is asked seldom. */
  async masters(): Promise<readonly Master[]> {
    const { body } = await this.nameServer((server) => server.call(CLUSTER_INFO));
    const { brokerAddrTable = {} } = parseLoose(body) as {
      brokerAddrTable?: Record<string, { brokerAddrs: Record<string, string> }>;
    };
    const masters = Object.entries(brokerAddrTable).flatMap(([name, { brokerAddrs }]) => {
      const address = brokerAddrs[MASTER];
      return address === undefined ? [] : [{ name, address }];
    });
    if (masters.length > 0) return masters.sort((a, b) => (a.name < b.name ? -1 : 1));
    throw Object.assign(new Error('the name server knows no broker yet'), { code: 'ECONNREFUSED' });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#connections.values()].map((connection) => connection.close()));
    this.#connections.clear();
  }

  #to(address: string): Remoting {
    // What was under way when it was closed goes on to its next step, which must not open anything.
    if (this.#closed) throw fault('CLOSED', 'The connection to RocketMQ was closed.');
    let connection = this.#connections.get(address);
    if (connection === undefined) {
      connection = new Remoting(address, this.#settings);
      this.#connections.set(address, connection);
    }
    return connection;
  }
}
