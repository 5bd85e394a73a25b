// Holds the table of saboteurs to the code, and the cases it names to those that there are.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cases, saboteurs } from '../packages/contract-kit/dist/src/index.js';
import { sameText } from './lib/generated.mjs';
import { root } from './lib/process.mjs';
import { withSaboteurs } from './lib/saboteurs.mjs';

const ids = new Set(cases.map(({ id }) => id));
const problems = saboteurs.flatMap(({ name, killedBy }) =>
  killedBy.filter((id) => !ids.has(id)).map((id) => `saboteur '${name}' names case ${id}, which there is not`),
);
const text = readFileSync(join(root, 'docs/saboteurs.md'), 'utf8');
if (!sameText(withSaboteurs(text, saboteurs), text))
  problems.push('docs/saboteurs.md: the table is not that of the code; npm run saboteurs writes it');
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
