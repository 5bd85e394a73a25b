/**
 * The rows of the capability table. Each is a promise of the contract; each names, in the contract kit, the cases that prove
 * it. A case that needs a row an adapter declares `unsupported` is the only case that may be skipped.
 */
export const CAPABILITY_IDS = [
  'durable-send',
  'fidelity',
  'at-least-once',
  'groups',
  'broadcast',
  'start-earliest',
  'start-latest',
  'key-order',
  'independent-keys',
  'redelivery',
  'attempts-survive',
  'release',
  'dead-letters',
  'broker-limits',
  'delay',
  'batch',
  'topic-settings',
  'no-history',
  'given-topology',
  'unroutable',
  'backpressure',
  'lag',
  'native-interop',
  'authentication',
  'recovery',
  'network',
] as const;

/** One row of the capability table. */
export type CapabilityId = (typeof CAPABILITY_IDS)[number];

/** What an adapter says about one row. */
export interface Capability {
  /** `native`: the broker does it. `emulated`: the adapter does it, with the guarantee in `note`. */
  readonly level: 'native' | 'emulated' | 'unsupported';
  /** How, and with what limit; for `unsupported` the reason. One sentence. */
  readonly note: string;
}

/** What an adapter claims. Frozen data, checked before anything connects. */
export interface Capabilities {
  readonly rows: Readonly<Record<CapabilityId, Capability>>;
  readonly limits: CapabilityLimits;
}

/** The numbers behind the rows. */
export interface CapabilityLimits {
  /** Largest body in bytes. Above it a send is refused with `TOO_LARGE` before the network. */
  readonly maxBodyBytes: number;
  /** Largest sum of UTF-8 bytes of header names and values. */
  readonly maxHeadersBytes: number;
  /** Longest wait, milliseconds, from a leave or crash that the broker noticed until another member gets the messages. */
  readonly takeoverMs: number;
  /** Longest time, milliseconds, that a message may stay unsettled with its owner: no back-off may be longer. */
  readonly maxHoldMs: number;
  /** Longest delay of a message, milliseconds. */
  readonly maxDelayMs: number;
  /** How late, milliseconds, a delayed message may be stored in its topic, or a retry be handled, when nothing is in its way. */
  readonly delayToleranceMs: number;
}
