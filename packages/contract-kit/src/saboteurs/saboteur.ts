import type { CapabilityLimits, ConfiguredAdapter } from '@anymq/core/adapter';
import { type Tamper, tampered } from '../tamper.js';

/** What somebody who breaks an adapter may know of it. */
export interface Known {
  /** The secret of its options. @default 'guest' */
  readonly secret?: string;
}

/** A deliberately broken adapter: everything works but one thing. */
export interface Saboteur {
  readonly name: string;
  /** Laws that it breaks. */
  readonly laws: readonly number[];
  /** What it does wrong. */
  readonly does: string;
  /** What a user would see. */
  readonly seen: string;
  /** Ids of cases that must fail on it, each by itself. */
  readonly killedBy: readonly string[];
  /** Breaks an adapter, whichever it is. */
  sabotage(configured: ConfiguredAdapter, known?: Known): ConfiguredAdapter;
}

/** @param make called for every adapter that is made, with what the adapter claims before it is broken */
export function saboteur(
  about: Omit<Saboteur, 'sabotage'>,
  make: (known: Known & { readonly limits: CapabilityLimits }) => Tamper,
): Saboteur {
  return Object.freeze({
    ...about,
    sabotage(configured: ConfiguredAdapter, known: Known = {}) {
      const { limits } = configured.capabilities;
      return tampered(configured, () => make({ ...known, limits }));
    },
  });
}
