import type { HistoryEvent } from './events.js';

/** One thing that must not have happened. */
export interface Violation {
  /** A sentence that names group, id and key. */
  readonly what: string;
  readonly id?: string;
  readonly key?: string;
  /** The events that show it. */
  readonly events: readonly HistoryEvent[];
}

/** What one checker found. */
export interface CheckResult {
  readonly name: string;
  /** Nothing was violated and the checker could tell. */
  readonly ok: boolean;
  /** Why the checker cannot tell. */
  readonly unknown?: string;
  readonly violations: readonly Violation[];
  /** What was counted or measured; times end in `Ms`. */
  readonly figures: Readonly<Record<string, number>>;
}

/** See {@link CheckOptions.doubles}. Milliseconds. */
export interface Doubles {
  readonly delayMs: number;
  readonly withinMs: number;
}

/** What the checkers have to know beside the history. */
export interface CheckOptions {
  /** Groups that must get everything, also when the history never names them. @default those that the history names */
  readonly groups?: readonly string[];
  /** What still stands unsettled at the broker when the history ends, by group. @default 0: drained */
  readonly backlog?: Readonly<Record<string, number>>;
  /**
   * How long after a handler's acknowledgement its settlement may still be under way where no `settled` tells: for the bound on
   * duplicates. @default 1000
   */
  readonly settleWithinMs?: number;
  /**
   * A broker that holds messages back for `delayMs` itself may, when it is killed, hold twice what it confirmed at most `withinMs` before, and
   * let go once more what was due so long before: for the bound on duplicates. @default it does neither
   */
  readonly doubles?: Doubles;
  /**
   * Where a broker knows no more than up to where a source is settled: what a delivery's position says. What stands behind a message
   * that is not through is then unsettled, too. @default each message is settled by itself
   */
  readonly placeOf?: (position: string) => { readonly source: string; readonly place: number };
  /**
   * How long a stopped process (SIGSTOP) keeps what it owns. Its calls that were under way hold their key for so long, and
   * entirely when it is continued before. @default none: a call that spans a stop counts, for other processes, as ended at it
   */
  readonly staleMs?: number;
  /** Names of faults that excuse no duplicate: a member that joins or closes in good order. @default none */
  readonly graceful?: readonly string[];
  /** Letters were redriven to the end: none may be left. @default false */
  readonly redriven?: boolean;
  /** How many letters may be in flight when a process that redrives them is killed. @default 64 */
  readonly redrivingAtOnce?: number;
  /** A process must have died at this point. @default none has to */
  readonly crashPoint?: string;
  /** Names of checks that what was run does not promise. @default none */
  readonly except?: readonly string[];
  /** The run had no fault on purpose: nothing has to be proven. @default false */
  readonly faultFree?: boolean;
  /** Fewer sends and handler calls in sum tell nothing. @default 100 */
  readonly minOperations?: number;
  /** Bounds for liveness after every heal. @default measured, not judged */
  readonly resumeSendWithinMs?: number;
  readonly resumeHandleWithinMs?: number;
}

/** Gathers what a checker finds. */
export class Findings {
  readonly violations: Violation[] = [];

  /** @param about what it is about; its id and key stand beside the sentence */
  add(
    what: string,
    about: { readonly id?: string; readonly key?: string | undefined },
    events: readonly Shown[],
  ): void {
    const { id, key } = about;
    const shown = events.filter((event) => event !== undefined);
    this.violations.push({
      what,
      ...(id !== undefined && { id }),
      ...(key !== undefined && { key }),
      events: shown,
    });
  }

  result(name: string, figures: Readonly<Record<string, number>> = {}, unknown?: string): CheckResult {
    const { violations } = this;
    const ok = violations.length === 0 && unknown === undefined;
    return { name, ok, ...(unknown !== undefined && { unknown }), violations, figures };
  }
}

type Shown = HistoryEvent | undefined;

/** `'id' (key 'k')`, for sentences. */
export const named = ({ id, key }: { readonly id: string; readonly key?: string | undefined }): string =>
  key === undefined ? `'${id}'` : `'${id}' (key '${key}')`;

/** Microseconds as milliseconds with three places. */
export const msOf = (micros: number): number => Math.round(micros) / 1000;
