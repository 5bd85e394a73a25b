import { table, withPart } from './generated.mjs';

const HEAD = ['saboteur', 'law', 'what it does', 'what a user sees', 'killed by'];

/** The document with the table of saboteurs as the code has them. */
export function withSaboteurs(text, saboteurs) {
  const rows = saboteurs.map(({ name, laws, does, seen, killedBy }) => [
    `\`${name}\``,
    laws.join(', '),
    does,
    seen,
    killedBy.join(' '),
  ]);
  return withPart(text, 'saboteurs', 'saboteurs', table(HEAD, rows));
}
