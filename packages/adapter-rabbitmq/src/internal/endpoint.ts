/** One node of the broker, as a URL says it. */
export interface Endpoint {
  readonly protocol: 'amqp' | 'amqps';
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly vhost: string | undefined;
}

/** An endpoint with everything filled in. */
export interface Target extends Omit<Endpoint, 'password'> {
  readonly username: string;
  readonly password: string | (() => string | Promise<string>);
  readonly vhost: string;
}

/** Undefined for anything but `amqp[s]://[user:password@]host[:port][/vhost]`. */
export function parseUrl(text: string): Endpoint | undefined {
  try {
    const url = new URL(text);
    const protocol = url.protocol.slice(0, -1);
    if ((protocol !== 'amqp' && protocol !== 'amqps') || url.hostname === '') return undefined;
    // What the client library reads from a query are options here: silently ignoring or honouring them would be a trap.
    if (url.search !== '' || url.hash !== '') return undefined;
    const named = url.username !== '' || url.password !== '';
    const vhost = decodeURIComponent(url.pathname.slice(1));
    return {
      protocol,
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? (protocol === 'amqp' ? 5672 : 5671) : Number(url.port),
      username: named ? decodeURIComponent(url.username) : undefined,
      password: named ? decodeURIComponent(url.password) : undefined,
      vhost: vhost === '' ? undefined : vhost,
    };
  } catch {
    return undefined;
  }
}

/** For people: without user and password. */
export function addressOf({ protocol, host, port, vhost }: Target): string {
  const path = vhost === '/' ? '' : `/${encodeURIComponent(vhost)}`;
  return `${protocol}://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
}
