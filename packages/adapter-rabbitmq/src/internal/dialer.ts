import { readFile } from 'node:fs/promises';
import { messageOf } from '@anymq/core/adapter';
import { type Connection, dial } from '../client.js';
import { classify, fault } from '../errors.js';
import { endpointsOf, type ParsedOptions } from '../options.js';
import { addressOf, type Target } from './endpoint.js';

/** Makes connections to whichever node answers. */
export class Dialer {
  readonly #options: ParsedOptions;
  readonly #endpoints: readonly Target[];
  /** Node to try first. */
  #turn = 0;

  constructor(options: ParsedOptions) {
    this.#options = options;
    this.#endpoints = endpointsOf(options);
  }

  /** All nodes, without credentials. */
  get address(): string {
    return this.#endpoints.map(addressOf).join(', ');
  }

  /** Tries every node once. Rejects with what the last one said, or the first that refused for good. */
  async dial(name: string, signal: AbortSignal): Promise<Connection> {
    const tls = await this.#tls();
    let failure: unknown;
    for (const _ of this.#endpoints) {
      const endpoint = this.#endpoints[this.#turn % this.#endpoints.length];
      if (endpoint === undefined) break;
      const { protocol, host, port, vhost, username, password } = endpoint;
      const { heartbeatSeconds, mechanism } = this.#options;
      try {
        const secret = typeof password === 'string' ? password : await password();
        const credentials = { mechanism, username, password: secret };
        return await dial({ protocol, host, port, vhost, credentials, heartbeatSeconds, name, tls }, signal);
      } catch (error) {
        signal.throwIfAborted();
        // Next time another node.
        this.#turn += 1;
        failure = error;
        if (!classify(error).retryable) break;
      }
    }
    throw failure;
  }

  /** Read anew for every connection: certificates are renewed while services run. */
  async #tls(): Promise<Readonly<Record<string, unknown>>> {
    const { tls } = this.#options;
    if (tls === undefined) return {};
    const { ca, cert, key, passphrase, servername, rejectUnauthorized } = tls;
    const [caPem, certPem, keyPem] = await Promise.all([pem('tls.ca', ca), pem('tls.cert', cert), pem('tls.key', key)]);
    const all = { ca: caPem, cert: certPem, key: keyPem, passphrase, servername, rejectUnauthorized };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  }
}

async function pem(path: string, value: string | undefined): Promise<string | undefined> {
  if (value === undefined || value.includes('-----BEGIN')) return value;
  try {
    return await readFile(value, 'utf8');
  } catch (error) {
    const message = `Options of rabbitmq(): ${path} is neither PEM text nor a file that can be read: ${messageOf(error)}.`;
    throw fault('INVALID_CONFIG', message);
  }
}
