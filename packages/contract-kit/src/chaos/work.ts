import type { CrashPoint } from './crash.js';

/** What processes of a run do beside sending and receiving. */
export interface ChaosWork {
  /** Every message is delayed by so much, milliseconds. */
  readonly delayMs?: number;
  /** One delayed message in so many is cancelled when it falls due. */
  readonly cancelOneIn?: number;
  /** The first call of each message fails; it is released for its retry. */
  readonly failsFirst?: boolean;
  /** Every message of one key in so many is given up, until members are told to recover. */
  readonly poisonedOneIn?: number;
  /** Where members die when they are told to. */
  readonly crash?: CrashPoint;
}

/** How somebody redrives the letters. */
export interface RedriveWork {
  readonly ratePerSecond?: number;
  /** Where it dies. */
  readonly crash?: CrashPoint;
  /** It lets the point pass until it has held so many messages there. */
  readonly crashAfter?: number;
}
