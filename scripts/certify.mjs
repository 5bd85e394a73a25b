// Runs the contract on all four engines, keeps the certificates, and writes the capability tables that they prove. With
// `--from-last-run` it takes the certificates of the last `npm test` or of contract runs with ANYMQ_TEST_RESULTS_DIR=.results.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cases } from '../packages/contract-kit/dist/src/index.js';
import { engineNames, startEngine, stopEngine } from './lib/engines.mjs';
import { jest } from './lib/jest.mjs';
import { format, root } from './lib/process.mjs';
import { KEPT, keptCopy, missing, otherCases, readCertificates, tables, unproven, withTable } from './lib/tables.mjs';

const results = join(root, '.results');
if (process.argv[2] !== '--from-last-run') await runAll();
const certificates = readCertificates(results);
const ids = cases.map(({ id }) => id);
const problems = [...missing(certificates), ...unproven(certificates), ...otherCases(certificates, ids)];
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
mkdirSync(KEPT, { recursive: true });
for (const [engine, certificate] of certificates)
  writeFileSync(join(KEPT, `${engine}.json`), `${JSON.stringify(keptCopy(certificate), null, 2)}\n`);
for (const [file, lines] of tables(certificates)) {
  const path = join(root, file);
  writeFileSync(path, withTable(readFileSync(path, 'utf8'), lines));
}
await format(['docs/certificates', ...tables(certificates).keys()]);
console.log('Kept the certificates of four engines and wrote the tables.');

async function runAll() {
  rmSync(results, { recursive: true, force: true });
  for (const name of engineNames) {
    const engine = await startEngine(name);
    if (engine.missing !== undefined) {
      console.error(`${name}: ${engine.missing}`);
      continue;
    }
    await jest({ match: [`adapter-${name}/.*contract\\.test`], serial: true, results });
    await stopEngine(engine);
  }
}
