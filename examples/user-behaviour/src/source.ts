import type { BehaviourEvent } from './event.js';

/** A line of the input: an event, or why it is none. `line` counts from 1, the header included. */
export type SourceItem =
  | { readonly line: number; readonly event: BehaviourEvent }
  | { readonly line: number; readonly problem: string };

/** Where events come from. */
export type Source = AsyncIterable<SourceItem>;
