import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import {
  type Adapter,
  type AdapterHealth,
  type AdapterRuntime,
  type Classification,
  type GroupStanding,
  MessagingError,
  messageOf,
  type Reader,
  type ReaderSink,
  type Receiver,
  type ReceiverSink,
  type ReceiverSpec,
  type Sender,
  type TopicSpec,
} from '@anymq/core/adapter';
import { type Client, type KafkaNative, loadClient } from './client.js';
import { classify, withHint } from './errors.js';
import { LATE, within } from './internal/bounded.js';
import { ConnectionWatch } from './internal/connection-watch.js';
import { Leaders } from './internal/leaders.js';
import type { Link } from './internal/link.js';
import { groupsOf, topicsOf } from './internal/listing.js';
import { KafkaReader } from './internal/reader.js';
import { Seeds } from './internal/seeds.js';
import { SharedLink } from './internal/shared-link.js';
import { topicName } from './names.js';
import type { ParsedOptions } from './options.js';
import { KafkaReceiver } from './receiver.js';
import { KafkaSender } from './sender.js';
import { ensureTopic, topicExists } from './topology.js';

/** A topic that need not exist: asking for it is the smallest request that every listener answers only to who may ask. */
const PING_TOPIC = 'anymq-ping';
const HEALTH_MS = 5_000;

interface Connected {
  readonly client: Client;
  /** For requests of senders and about topics. */
  readonly links: SharedLink;
  readonly watch: ConnectionWatch;
  /** Receivers and readers. Core closes those that it got; one may be being opened. */
  readonly open: Set<{ close(): Promise<void> }>;
}

export class KafkaAdapter implements Adapter<KafkaNative> {
  readonly address: string;
  readonly #options: ParsedOptions;
  readonly #runtime: AdapterRuntime;
  readonly #seeds: Seeds;
  #connected: Connected | undefined;

  constructor(options: ParsedOptions, runtime: AdapterRuntime) {
    this.#options = options;
    this.#runtime = runtime;
    this.#seeds = new Seeds(options.brokers);
    this.address = options.brokers.join(', ');
  }

  get native(): KafkaNative {
    return this.#use().client.native;
  }

  classify(error: unknown): Classification {
    return classify(error);
  }

  async connect(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    let watch: ConnectionWatch | undefined;
    const ssl = await readSsl(this.#options.ssl);
    const { clock, log } = this.#runtime;
    const client = await loadClient({
      options: this.#options,
      seeds: this.#seeds,
      ssl,
      clock,
      events: { debug: (message, details) => log.debug(message, details), socketFailed: (error) => watch?.look(error) },
    });
    try {
      await this.#probe(client, signal);
    } catch (error) {
      await client.close();
      throw signal.aborted ? signal.reason : withHint(error);
    }
    const links = new SharedLink(() => client.link());
    watch = new ConnectionWatch(this.#runtime, () => this.#ping(links));
    this.#connected = { client, links, watch, open: new Set() };
    this.#runtime.connection('up');
  }

  async openSender(topic: TopicSpec): Promise<Sender> {
    const { client, links } = this.#use();
    const { name, leaders } = await this.#ensure(topic);
    return new KafkaSender({
      runtime: this.#runtime,
      topic,
      name,
      links,
      leaders,
      compression: client.compression,
      requestTimeoutMs: this.#options.requestTimeoutMs,
    });
  }

  async openReceiver(spec: ReceiverSpec, sink: ReceiverSink): Promise<Receiver> {
    const { client, open } = this.#use();
    const { name } = await this.#ensure(spec.topic);
    return KafkaReceiver.open({
      runtime: this.#runtime,
      options: this.#options,
      client,
      spec,
      sink,
      topic: name,
      open,
    });
  }

  async openReader(topic: TopicSpec, from: 'earliest' | 'latest', sink: ReaderSink): Promise<Reader> {
    const { client, open } = this.#use();
    const { name } = await this.#ensure(topic);
    return KafkaReader.open({ runtime: this.#runtime, options: this.#options, client, topic: name, from, sink, open });
  }

  exists(topic: TopicSpec): Promise<boolean> {
    const name = topicName(this.#runtime.namespace, topic.name);
    return this.#withLink(this.#use().links, (link) => topicExists(link, name));
  }

  topics(): Promise<readonly string[]> {
    return topicsOf(this.#use().client.native.admin, this.#runtime.namespace);
  }

  groups(topic: string): Promise<readonly GroupStanding[]> {
    const { client, links } = this.#use();
    return this.#withLink(links, (link) => groupsOf(client.native.admin, link, this.#runtime.namespace, topic));
  }

  async health(): Promise<AdapterHealth> {
    const { clock } = this.#runtime;
    const began = clock.monotonic();
    try {
      const answer = await within(clock, this.#ping(this.#use().links), HEALTH_MS - 500);
      if (answer === LATE) return { ready: false, reason: `no broker at ${this.address} answered in time` };
      return { ready: true, latencyMs: clock.monotonic() - began };
    } catch (error) {
      return { ready: false, reason: messageOf(error) };
    }
  }

  async close(): Promise<void> {
    const connected = this.#connected;
    this.#connected = undefined;
    if (connected === undefined) return;
    connected.watch.close();
    await Promise.all([...connected.open].map((each) => each.close()));
    await connected.client.close();
  }

  async #probe(client: Client, signal: AbortSignal): Promise<void> {
    const link = client.link();
    const abort = (): void => void link.abort('connecting was given up');
    signal.addEventListener('abort', abort, { once: true });
    try {
      await link.ping(PING_TOPIC);
      await client.native.admin.connect();
      signal.throwIfAborted();
    } finally {
      signal.removeEventListener('abort', abort);
      void link.close();
    }
  }

  async #ensure(topic: TopicSpec): Promise<{ readonly name: string; readonly leaders: Leaders }> {
    const { client, links } = this.#use();
    const name = topicName(this.#runtime.namespace, topic.name);
    const leaders = new Leaders(name);
    const shared = { client, topic, name, options: this.#options, clock: this.#runtime.clock };
    await this.#withLink(links, (link) => ensureTopic({ ...shared, link }, leaders));
    return { name, leaders };
  }

  #ping(links: SharedLink): Promise<void> {
    return this.#withLink(links, (link) => link.ping(PING_TOPIC));
  }

  async #withLink<T>(links: SharedLink, request: (link: Link) => Promise<T>): Promise<T> {
    const lease = links.lease();
    let broken = true;
    try {
      const answer = await request(lease.link);
      broken = false;
      return answer;
    } finally {
      lease.release(broken);
    }
  }

  #use(): Connected {
    if (this.#connected !== undefined) return this.#connected;
    const message = `Broker '${this.#runtime.broker}' is not connected. Connect before using it.`;
    throw new MessagingError('UNAVAILABLE', message, { adapter: 'kafka' });
  }
}

/** @throws {MessagingError} `INVALID_CONFIG` for a file that cannot be read */
async function readSsl(ssl: ParsedOptions['ssl']): Promise<ConnectionOptions | boolean> {
  if (typeof ssl === 'boolean') return ssl;
  const read = async (name: 'ca' | 'cert' | 'key'): Promise<ConnectionOptions> => {
    const value = ssl[name];
    return value === undefined ? {} : { [name]: await pem(`ssl.${name}`, value) };
  };
  const { passphrase, servername, rejectUnauthorized } = ssl;
  return {
    ...Object.assign({}, ...(await Promise.all([read('ca'), read('cert'), read('key')]))),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  };
}

async function pem(option: string, value: string): Promise<string> {
  if (value.includes('-----BEGIN')) return value;
  try {
    return await readFile(value, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'failure';
    const message = `Options of kafka(): ${option} must be PEM text or the path of a PEM file that can be read, found a path that gives ${code}.`;
    throw new MessagingError('INVALID_CONFIG', message, { adapter: 'kafka' });
  }
}
