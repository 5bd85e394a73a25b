// Every check that needs no broker: format and lint, import arrows, shape of the packages, dead code, documentation.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { capture, root } from './lib/process.mjs';

const dist = ['packages', 'tools', 'examples'].flatMap((group) =>
  readdirSync(join(root, group)).map((name) => `${group}/${name}/dist/src`),
);
dist.push('benchmarks/dist/src');

const CHECKS = [
  ['format and lint', 'npx', ['biome', 'check', '--error-on-warnings', '.']],
  ['import arrows', 'npx', ['depcruise', '--config', '.dependency-cruiser.cjs', '--output-type', 'err', '--', ...dist]],
  ['adapters of one shape', 'node', ['scripts/check-shape.mjs']],
  ['documentation', 'node', ['scripts/check-docs.mjs']],
  ['generated documentation', 'node', ['scripts/docs.mjs', '--check']],
  ['capabilities', 'node', ['scripts/check-capabilities.mjs']],
  ['the checks themselves', 'node', ['--test', 'scripts/lib/']],
  ['wire format', 'node', ['scripts/check-vectors.mjs']],
  ['saboteurs', 'node', ['scripts/check-saboteurs.mjs']],
  ['unused code', 'npx', ['knip', '--no-progress']],
  ['package exports', 'node', ['scripts/check-packages.mjs']],
];

let failed = 0;
for (const [name, command, args] of CHECKS) {
  const { code, stdout, stderr } = await capture(command, args);
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name}`);
  if (code === 0) continue;
  failed += 1;
  console.log(`${stdout}${stderr}`);
}
process.exit(failed === 0 ? 0 : 1);
