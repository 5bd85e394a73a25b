import { MessagingError } from '@anymq/core/adapter';
import { z } from 'zod';
import { type Endpoint, parseUrl, type Target } from './internal/endpoint.js';

const MIB = 1024 * 1024;

/** TLS of an `amqps:` connection. Each of `ca`, `cert` and `key` is PEM text or the path of a PEM file. */
export interface RabbitmqTls {
  /** Authorities that the broker's certificate may come from. @default those that Node.js trusts */
  readonly ca?: string | undefined;
  /** The client's own certificate, for mutual TLS. Needs `key`. @default none */
  readonly cert?: string | undefined;
  /** The private key of `cert`. @default none */
  readonly key?: string | undefined;
  /** What `key` is encrypted with. @default none */
  readonly passphrase?: string | undefined;
  /** Name that the broker's certificate must carry. @default the host of the URL */
  readonly servername?: string | undefined;
  /** `false` accepts any certificate: for experiments only. @default true */
  readonly rejectUnauthorized?: boolean | undefined;
}

/** Options of `rabbitmq()`. */
export interface RabbitmqOptions {
  /** `amqp[s]://[user:password@]host[:port][/vhost]`, without a query. Either this or `urls` is required. */
  readonly url?: string | undefined;
  /** Several nodes of one cluster, 1-16: tried in turn when connecting and reconnecting. Either this or `url` is required. */
  readonly urls?: readonly string[] | undefined;
  /** Instead of a user in the URL. Needs `password`. @default the URL's, else 'guest' */
  readonly username?: string | undefined;
  /**
   * Instead of a password in the URL. Needs `username`. A function is asked for every connection, so what was rotated is used
   * from the next one on. @default the URL's, else 'guest'
   */
  readonly password?: Secret | undefined;
  /** Instead of a virtual host in the URL. @default the URL's, else '/' */
  readonly vhost?: string | undefined;
  /** `external`: the broker takes the user from the client certificate; needs `tls.cert`. @default 'plain' */
  readonly mechanism?: 'plain' | 'external' | undefined;
  /** Needs `amqps:` URLs. @default what Node.js does for TLS without options */
  readonly tls?: RabbitmqTls | undefined;
  /** A silent connection is given up after two to three times this, seconds, 1-300. @default 20 */
  readonly heartbeatSeconds?: number | undefined;
  /**
   * `check`: topics and groups are used as they stand and never created; one that is missing is `NOT_FOUND`. For services whose
   * credentials may create nothing. @default 'create'
   */
  readonly topology?: 'create' | 'check' | undefined;
  /**
   * Queues that a group's messages are spread over by key, 1-256: so many members can work at once. Fixed by who declares
   * the topic first; another number is a `CONFLICT`. @default 16
   */
  readonly buckets?: number | undefined;
  /** How long the broker may take to confirm a write, milliseconds, 1,000-30,000. Then its outcome is unknown. @default 10_000 */
  readonly confirmTimeoutMs?: number | undefined;
  /** How long topics with history keep messages for groups to come, days, 1-3,650. Fixed by the first declaration. @default 7 */
  readonly historyMaxAgeDays?: number | undefined;
  /** The same in bytes per topic, 1 MiB to 1 PiB, rounded up to whole segments. @default no bound by size */
  readonly historyMaxBytes?: number | undefined;
  /**
   * Most messages of one bucket that wait in this process, unsettled, 4-2,000. What is used is twice the bucket's share of
   * `maxInFlight`, up to this. @default 1_000
   */
  readonly maxPrefetch?: number | undefined;
}

/** A secret, or who knows the one that counts now. */
export type Secret = string | (() => string | Promise<string>);

const URL_RULE = 'must be amqp[s]://[user:password@]host[:port][/vhost], without a query';

const text = z.string().min(1);
const url = z.string().refine((value) => parseUrl(value) !== undefined, { error: URL_RULE });

const provider = z.custom<Exclude<Secret, string>>((value) => typeof value === 'function', {
  error: 'must be text or a function that gives it',
});

const tlsSchema = z.strictObject({
  ca: text.optional(),
  cert: text.optional(),
  key: text.optional(),
  passphrase: text.optional(),
  servername: text.optional(),
  rejectUnauthorized: z.boolean().default(true),
});

/** What `rabbitmq()` can be told: defaults and checks. */
export const optionsSchema = z
  .strictObject({
    url: url.optional(),
    urls: z.array(url).min(1).max(16).optional(),
    username: text.optional(),
    password: z.union([z.string(), provider]).optional(),
    vhost: text.max(255).optional(),
    mechanism: z.enum(['plain', 'external']).default('plain'),
    tls: tlsSchema.optional(),
    heartbeatSeconds: z.int().min(1).max(300).default(20),
    topology: z.enum(['create', 'check']).default('create'),
    buckets: z.int().min(1).max(256).default(16),
    confirmTimeoutMs: z.int().min(1_000).max(30_000).default(10_000),
    historyMaxAgeDays: z.int().min(1).max(3_650).default(7),
    historyMaxBytes: z
      .int()
      .min(MIB)
      .max(1024 ** 3 * MIB)
      .optional(),
    maxPrefetch: z.int().min(4).max(2_000).default(1_000),
  })
  .superRefine((options, context) => {
    for (const [path, message] of contradictions(options)) context.addIssue({ code: 'custom', path: [path], message });
  });

/** Options with all defaults. */
export type ParsedOptions = z.output<typeof optionsSchema>;

type Checked = Pick<ParsedOptions, 'url' | 'urls' | 'username' | 'password' | 'vhost' | 'mechanism' | 'tls'>;

/** What options say against each other: the path to change, and how. */
function contradictions(options: Checked): [string, string][] {
  const { url: one, urls: several, username, password, vhost } = options;
  const endpoints = urlsOf(options);
  const inUrl = (part: 'username' | 'vhost'): boolean => endpoints.some((endpoint) => endpoint[part] !== undefined);
  const rules: [wrong: boolean, path: string, message: string][] = [
    [one === undefined && several === undefined, 'url', `is required: it ${URL_RULE}`],
    [one !== undefined && several !== undefined, 'urls', 'is given together with url: leave one out'],
    [username === undefined && password !== undefined, 'username', 'is missing: it belongs to password'],
    [username !== undefined && password === undefined, 'password', 'is missing: it belongs to username'],
    [
      username !== undefined && inUrl('username'),
      'username',
      'is given together with a user in the URL: leave one out',
    ],
    [vhost !== undefined && inUrl('vhost'), 'vhost', 'is given together with a virtual host in the URL: leave one out'],
    ...tlsRules(options, endpoints),
  ];
  return rules.filter(([wrong]) => wrong).map(([, path, message]) => [path, message]);
}

function tlsRules({ tls, mechanism }: Checked, endpoints: readonly Endpoint[]): [boolean, string, string][] {
  const plain = endpoints.some(({ protocol }) => protocol === 'amqp');
  const half = (tls?.cert === undefined) !== (tls?.key === undefined);
  return [
    [tls !== undefined && plain, 'tls', 'needs amqps: in every URL'],
    [half, 'tls', 'has only one of cert and key: they belong together'],
    [mechanism === 'external' && tls?.cert === undefined, 'mechanism', "'external' needs tls.cert and tls.key"],
  ];
}

function urlsOf(options: Checked): Endpoint[] {
  return (options.urls ?? [options.url]).flatMap((value) => parseUrl(value ?? '') ?? []);
}

/** Where to connect, in turn, with the credentials filled in. */
export function endpointsOf(options: ParsedOptions): Target[] {
  return urlsOf(options).map((endpoint) => ({
    ...endpoint,
    username: options.username ?? endpoint.username ?? 'guest',
    password: options.password ?? endpoint.password ?? (endpoint.username === undefined ? 'guest' : ''),
    vhost: options.vhost ?? endpoint.vhost ?? '/',
  }));
}

/** @throws {MessagingError} `INVALID_CONFIG` naming each path, what was found and what would be right */
export function parseOptions(options: unknown): ParsedOptions {
  const result = optionsSchema.safeParse(options);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => describe(issue, options)).join('; ');
  throw new MessagingError('INVALID_CONFIG', `Options of rabbitmq(): ${problems}.`, { adapter: 'rabbitmq' });
}

function describe(issue: z.core.$ZodIssue, options: unknown): string {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys((path === 'tls' ? tlsSchema : optionsSchema).shape).join(', ');
    return `unknown option ${issue.keys.map((key) => `'${path === '' ? key : `${path}.${key}`}'`).join(', ')}, known are ${known}`;
  }
  const found = showable(issue.path, options);
  return `${path === '' ? 'options' : path}: ${issue.message}${found === undefined ? '' : `, found ${found}`}`;
}

/** What stands at `path`, unless it may hold a secret: only numbers, booleans and the kinds of other things are shown. */
function showable(path: readonly PropertyKey[], options: unknown): string | undefined {
  let value = options;
  for (const part of path) value = (value as Record<PropertyKey, unknown> | undefined | null)?.[part];
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return value === undefined || typeof value === 'string' ? undefined : `${value === null ? 'null' : typeof value}`;
}
