// Writes what the documentation takes from the code: the contract's page, and snippets. `--check` only says what differs.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cases, LAWS, proofsOf } from '../packages/contract-kit/dist/src/index.js';
import { CAPABILITY_IDS } from '../packages/core/dist/src/adapter/index.js';
import { contractPage } from './lib/contract-page.mjs';
import { sameText } from './lib/generated.mjs';
import { format, root } from './lib/process.mjs';
import { documents, withSnippets } from './lib/snippets.mjs';

const check = process.argv[2] === '--check';
const read = (file) => readFileSync(join(root, file), 'utf8');
const wanted = new Map([['docs/contract.md', contractPage({ cases, LAWS, CAPABILITY_IDS, proofsOf })]]);
for (const file of documents())
  if (!wanted.has(file) && existsSync(join(root, file))) wanted.set(file, withSnippets(read(file), read));

const differing = [...wanted].filter(([file, text]) => !existsSync(join(root, file)) || !sameText(read(file), text));
for (const [file, text] of differing) {
  if (!check) writeFileSync(join(root, file), text);
  console.error(check ? `${file} is not what the code gives; npm run docs writes it` : `wrote ${file}`);
}
if (!check) await format(differing.map(([file]) => file));
process.exit(check && differing.length > 0 ? 1 : 0);
