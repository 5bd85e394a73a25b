import { MessagingError } from '@anymq/core/adapter';
import { z } from 'zod';

/** What `rocketmq()` takes. */
export interface RocketmqOptions {
  /** `host:port` of the proxy's gRPC endpoint, or of up to 16 proxies of one cluster, `host:port;host:port`: tried in turn. */
  readonly endpoints: string;
  /**
   * `host:port` of the name servers: topics, groups and start positions are set up through them.
   * @default the hosts of `endpoints` with port 9876
   */
  readonly nameServers?: readonly string[];
  /**
   * Together with `secretKey`, where the broker checks access. Every request is signed anew: a function is asked each time, so
   * what was rotated is used from the next request on.
   */
  readonly accessKey?: Secret;
  readonly secretKey?: Secret;
  /** For temporary credentials. */
  readonly securityToken?: Secret;
  /**
   * TLS to the proxy. `true` trusts the machine's authorities; an object gives PEM text or paths of files. @default false
   */
  readonly tls?: boolean | RocketmqTls;
  /**
   * `check`: topics and groups are used as they stand and never created; one that is missing is `NOT_FOUND`. For services whose
   * credentials may create nothing. @default 'create'
   */
  readonly topology?: 'create' | 'check';
  /** Queues of topics that are created here, 1-64: a keyed topic is handled by so many members at most. @default 8 */
  readonly queues?: number;
  /** Sends under way at once per topic, 1-1024. @default 64 */
  readonly concurrentSends?: number;
  /**
   * How long a message is this member's without a sign of life, milliseconds, 10,000-43,200,000, at least twice `pollMs`. Renewed
   * at half. @default 30_000
   */
  readonly leaseMs?: number;
  /**
   * How long a poll waits for messages, milliseconds, 500-20,000. Closing a consumer may take as long. A proxy makes polls longer
   * that are shorter than its `grpcClientConsumerMinLongPollingTimeoutMillis`, usually 5,000; a warning says so. @default 5_000
   */
  readonly pollMs?: number;
  /** How long one request may take, milliseconds, 1,000-25,000. @default 5_000 */
  readonly requestTimeoutMs?: number;
  /**
   * Talk to the addresses that the broker advertises instead of `endpoints`: needed with several proxies, wrong behind a
   * port forwarding. @default false
   */
  readonly useAdvertisedAddress?: boolean;
}

/** A secret, or who knows the one that counts now: at once, because every request waits for it. */
export type Secret = string | (() => string);

/** PEM text or paths of files. */
export interface RocketmqTls {
  /** Authorities to trust. @default the machine's */
  readonly ca?: string;
  /** Certificate chain of this client, together with `key`. */
  readonly cert?: string;
  readonly key?: string;
  /** Name that the proxy's certificate must have. @default the host of `endpoints` */
  readonly servername?: string;
}

const ADDRESS = /^[^\s:/@]+:\d{1,5}$/;
const ADDRESSES = /^[^\s:;/@]+:\d{1,5}(;[^\s:;/@]+:\d{1,5}){0,15}$/;
const address = z.string().regex(ADDRESS, "must be 'host:port'");
const text = z.string().min(1);
const provider = z.custom<() => string>((value) => typeof value === 'function', {
  error: 'must be text or a function that gives it',
});
const secret = z.union([text, provider]);
const tlsSchema = z.strictObject({
  ca: text.optional(),
  cert: text.optional(),
  key: text.optional(),
  servername: text.optional(),
});

/** What `rocketmq()` can be told: defaults and checks. */
export const optionsSchema = z
  .strictObject({
    endpoints: z.string().regex(ADDRESSES, "must be 'host:port', or several of them with ';' between"),
    nameServers: z.array(address).min(1).max(16).optional(),
    accessKey: secret.optional(),
    secretKey: secret.optional(),
    securityToken: secret.optional(),
    tls: z.union([z.boolean(), tlsSchema]).default(false),
    topology: z.enum(['create', 'check']).default('create'),
    queues: z.int().min(1).max(64).default(8),
    concurrentSends: z.int().min(1).max(1_024).default(64),
    leaseMs: z.int().min(10_000).max(43_200_000).default(30_000),
    pollMs: z.int().min(500).max(20_000).default(5_000),
    requestTimeoutMs: z.int().min(1_000).max(25_000).default(5_000),
    useAdvertisedAddress: z.boolean().default(false),
  })
  .superRefine(({ accessKey, secretKey, tls, leaseMs, pollMs }, context) => {
    const issue = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if ((accessKey === undefined) !== (secretKey === undefined)) {
      issue(accessKey === undefined ? 'accessKey' : 'secretKey', 'is missing: accessKey and secretKey belong together');
    }
    // A lease is counted from the poll's begin, and must outlast the poll.
    if (leaseMs < 2 * pollMs) issue('leaseMs', `must be at least twice pollMs, which is ${pollMs}`);
    if (typeof tls === 'object' && (tls.cert === undefined) !== (tls.key === undefined)) {
      issue('tls', 'has only one of cert and key: they belong together');
    }
  })
  .transform((options) => ({
    ...options,
    nameServers: options.nameServers ?? hostsOf(options.endpoints).map((host) => `${host}:9876`),
  }));

/** The shortest poll that a proxy grants if nobody has told it otherwise. */
export const MIN_GRANTED_POLL_MS = 5_000;

/** How long a poll may last: the proxy knows better than we do. */
export const longestPollMs = ({ pollMs }: Pick<ParsedOptions, 'pollMs'>): number =>
  Math.max(pollMs, MIN_GRANTED_POLL_MS);

/** Each once. */
const hostsOf = (endpoints: string): string[] => [
  ...new Set(endpoints.split(';').map((each) => each.split(':')[0] ?? '')),
];

/** Options with all defaults. */
export type ParsedOptions = z.output<typeof optionsSchema>;

/** @throws {MessagingError} `INVALID_CONFIG` naming each path, what was found and what would be right */
export function parseOptions(options: unknown): ParsedOptions {
  const result = optionsSchema.safeParse(options);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => describe(issue, options)).join('; ');
  throw new MessagingError('INVALID_CONFIG', `Options of rocketmq(): ${problems}.`, { adapter: 'rocketmq' });
}

function describe(issue: z.core.$ZodIssue, options: unknown): string {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys')
    return `unknown option ${issue.keys.map((key) => `'${key}'`).join(', ')}${path === '' ? '' : ` in ${path}`}`;
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
