import { connection } from './connection.js';
import { delays } from './delays.js';
import { fidelity } from './fidelity.js';
import { groups } from './groups.js';
import { keptLetters } from './kept-letters.js';
import { letters } from './letters.js';
import { receiving } from './receiving.js';
import { releasing } from './releasing.js';
import type { Saboteur } from './saboteur.js';
import { sending } from './sending.js';

export { type Hunt, hunt, sabotaged } from './hunt.js';
export type { Known, Saboteur } from './saboteur.js';

/** Adapters that are broken on purpose: a contract that lets one of them through proves nothing there. */
export const saboteurs: readonly Saboteur[] = [
  ...sending,
  ...fidelity,
  ...receiving,
  ...letters,
  ...keptLetters,
  ...releasing,
  ...delays,
  ...groups,
  ...connection,
];
