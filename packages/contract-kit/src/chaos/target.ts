import type { ConfiguredAdapter } from '@anymq/core/adapter';
import type { FaultProxy } from '../faults/index.js';
import type { CheckOptions } from '../history/index.js';

/** Options of an adapter as JSON: they travel to processes of their own. */
export type ChaosConnection = Readonly<Record<string, unknown>>;

/** A broker that may be hurt. */
export interface ChaosBroker {
  /** Straight to it. */
  readonly direct: ChaosConnection;
  /** Through `proxy`. */
  readonly proxied: ChaosConnection;
  readonly proxy: FaultProxy;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGTERM, and its end. */
  stop(): Promise<void>;
  /** On the same data and address; resolves when it answers. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** An engine for {@link runChaos}. */
export interface ChaosTarget {
  readonly name: string;
  /** URL of a module that exports {@link ChaosModule.configure}: members and producers are processes of their own. */
  readonly module: string;
  /** How long a member that stands still keeps what it owns at most, milliseconds, with the connections below. */
  readonly staleMs: number;
  /** How long it keeps it at least: until then nobody else may have its keys. @default staleMs */
  readonly keepsMs?: number;
  /** How long after a handler's end the broker may not yet know of it, milliseconds. @default 1000 */
  readonly settleWithinMs?: number;
  /** The same where the broker is killed, and forgets what it has not made durable. @default settleWithinMs */
  readonly forgetsMs?: number;
  /** See {@link CheckOptions.placeOf}. @default each message is settled by itself */
  readonly placeOf?: CheckOptions['placeOf'];
  /** An answer that says more than that the connection lives has at least so many bytes. */
  readonly answerBytes: number;
  /**
   * What a process that forwards delayed messages held when it was hit comes with the rest, in its order. False: it comes late, behind
   * what fell due meanwhile, and its order is not judged. @default true
   */
  readonly delaysInOrder?: boolean;
  /** What a broker that holds messages back itself had confirmed, or let go, so long before it was killed, at most, comes twice. @default 0 */
  readonly doublesDelayedMs?: number;
  /** Messages per second that it confirms with ease on a small machine. @default no bound */
  readonly maxRatePerSecond?: number;
  /** Starts a broker with data of its own. */
  start(): Promise<ChaosBroker>;
}

/** What a target's module exports. */
export interface ChaosModule {
  configure(connection: ChaosConnection): ConfiguredAdapter;
}
