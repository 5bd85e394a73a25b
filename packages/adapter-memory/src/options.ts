import { MessagingError } from '@anymq/core/adapter';
import { z } from 'zod';
import { type MemoryBroker, Way } from './internal/way.js';

const MIB = 1024 * 1024;

/** The broker's own numbers: the only range checks. */
const numbers = {
  partitions: z.int().min(1).max(256),
  leaseMs: z.int().min(100).max(3_600_000),
  drainTimeoutMs: z.int().min(1).max(3_600_000),
  maxBodyBytes: z
    .int()
    .min(1)
    .max(64 * MIB),
  historyMaxMessages: z.int().min(0).max(100_000_000),
  historyMaxBytes: z
    .int()
    .min(0)
    .max(64 * 1024 * MIB),
  backlogMaxBytes: z
    .int()
    .min(1)
    .max(64 * 1024 * MIB),
};

const DEFAULTS: BrokerSettings = Object.freeze({
  partitions: 8,
  leaseMs: 10_000,
  drainTimeoutMs: 30_000,
  maxBodyBytes: 4 * MIB,
  historyMaxMessages: 100_000,
  historyMaxBytes: 64 * MIB,
  backlogMaxBytes: 256 * MIB,
});

/** What a broker can be told: defaults and checks. */
export const brokerSchema = z.strictObject(numbers).partial();

/** What `memory()` can be told: defaults and checks. */
export const optionsSchema = brokerSchema
  .extend({
    topology: z.enum(['create', 'check']).default('create'),
    broker: z.instanceof(Way, { error: 'must be what createMemoryBroker() returned' }).optional(),
  })
  .superRefine((options, context) => {
    if (options.broker === undefined) return;
    for (const name of Object.keys(numbers)) {
      if (!(name in options)) continue;
      context.addIssue({
        code: 'custom',
        path: [name],
        message: 'belongs to createMemoryBroker() when a broker is given',
      });
    }
  });

/** What a broker is made with. */
export interface BrokerSettings {
  /**
   * Lanes of every topic, 1-256: so many members of a group can work at once, and messages of one key stand in one.
   * @default 8
   */
  readonly partitions: number;
  /**
   * How long a member may be silent before its messages go to others, milliseconds, 100-3,600,000. Members show a sign of
   * life every third of it. @default 10_000
   */
  readonly leaseMs: number;
  /**
   * How long a member's running handlers may go on when a partition moves to another member, milliseconds, 1-3,600,000; then
   * the partition is taken from it. @default 30_000
   */
  readonly drainTimeoutMs: number;
  /** Largest body of a message, bytes, 1 to 64 MiB. Larger ones are refused with `TOO_LARGE`. @default 4_194_304 */
  readonly maxBodyBytes: number;
  /**
   * Messages that a topic keeps after every group has settled them, for groups to come. Beyond it the oldest are dropped; what
   * a group has yet to settle never is. 0-100,000,000. @default 100_000
   */
  readonly historyMaxMessages: number;
  /** The same in bytes (bodies, headers, and 256 for each message). 0 to 64 GiB. @default 67_108_864 */
  readonly historyMaxBytes: number;
  /**
   * Bytes that a topic takes beyond `historyMaxBytes` for groups that are behind, or for the first group to come. When they
   * are used up sends wait, and reject at their deadline, until the groups catch up; on a topic that never had a group the
   * oldest messages are dropped, with a warning in the log. 1 byte to 64 GiB. @default 268_435_456
   */
  readonly backlogMaxBytes: number;
}

/** Options of `memory()`: a broker to share, or the settings of one of its own. */
export type MemoryOptions = { readonly [Name in keyof BrokerSettings]?: BrokerSettings[Name] | undefined } & {
  /**
   * `check`: topics and groups are used as they stand and never created; one that is missing is `NOT_FOUND`. For services whose
   * credentials may create nothing. @default 'create'
   */
  readonly topology?: 'create' | 'check' | undefined;
  /** What `createMemoryBroker()` returned: adapters that share it meet there, as processes do. @default one of its own */
  readonly broker?: MemoryBroker | undefined;
};

/** Options with all defaults. */
export type ParsedOptions = z.output<typeof optionsSchema>;

/** The settings with every default filled in. */
export function settingsOf(options: z.infer<typeof brokerSchema>): BrokerSettings {
  const given = Object.entries(options).filter(([name, value]) => name in numbers && value !== undefined);
  return Object.freeze({ ...DEFAULTS, ...Object.fromEntries(given) });
}

/** @throws {MessagingError} `INVALID_CONFIG` naming each path, what was found and what would be right */
export function parseOptions<T>(schema: z.ZodType<T>, options: unknown, what: string): T {
  const result = schema.safeParse(options);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => describe(issue, options)).join('; ');
  throw new MessagingError('INVALID_CONFIG', `${what}: ${problems}.`, { adapter: 'memory', cause: result.error });
}

function describe(issue: z.core.$ZodIssue, options: unknown): string {
  if (issue.code === 'unrecognized_keys') {
    return `unknown option ${issue.keys.map((key) => `'${key}'`).join(', ')}, known are broker, topology, ${Object.keys(numbers).join(', ')}`;
  }
  const path = issue.path.join('.') || 'options';
  return `${path}: ${issue.message}, found ${found(options, issue.path)}`;
}

function found(options: unknown, path: readonly PropertyKey[]): string {
  let value = options;
  for (const part of path) value = (value as Record<PropertyKey, unknown> | undefined)?.[part];
  return typeof value === 'object' || typeof value === 'function' ? typeof value : (JSON.stringify(value) ?? 'nothing');
}
