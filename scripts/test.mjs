// Everything that proves AnyMQ: units and types, the contract on four engines, the demo on four engines, a packed install.
// Ends with a line per engine. ANYMQ_TEST_REQUIRE_BROKERS=1 turns a missing broker from a loud skip into a failure.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { compareFunnels, runDemo } from './lib/demo.mjs';
import { startEngines, stopEngines } from './lib/engines.mjs';
import { jest } from './lib/jest.mjs';
import { packedInstall } from './lib/packed-install.mjs';
import { root } from './lib/process.mjs';
import { contractResult, summary } from './lib/summary.mjs';

const results = join(root, '.results');
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(0)} s`;
const failures = [];

async function step(name, run) {
  const since = performance.now();
  console.log(`\n== ${name}`);
  const ok = await run();
  console.log(`== ${name}: ${ok ? 'ok' : 'FAILED'} (${seconds(since)})`);
  if (!ok) failures.push(name);
}

const begin = performance.now();
rmSync(results, { recursive: true, force: true });
const engines = await startEngines();
try {
  await step('units and types', () => jest({ ignore: ['contract\\.test', 'native\\.test', 'integration\\.test'] }));
  await step('brokers as a tool', () => jest({ match: ['tools/brokers/.*integration\\.test'], serial: true }));
  for (const engine of engines) {
    if (engine.missing !== undefined) continue;
    await step(`contract on ${engine.name}`, () =>
      jest({ match: [`adapter-${engine.name}/.*contract\\.test`], serial: true, results }),
    );
    await step(`what only ${engine.name} has`, () =>
      jest({ match: [`adapter-${engine.name}/.*native\\.test`], serial: true }),
    );
    await step(`demo on ${engine.name}`, async () => {
      engine.demo = await runDemo(engine.name);
      return engine.demo.ok;
    });
  }
  await step('the funnel is the same on every engine', () => compareFunnels(engines));
  await step('packed install', packedInstall);
} finally {
  await stopEngines(engines);
}

console.log(`\n${summary(engines, (engine) => contractResult(results, engine))}`);
const required = process.env.ANYMQ_TEST_REQUIRE_BROKERS === '1';
for (const { name, missing } of engines)
  if (missing !== undefined && required) failures.push(`${name} is required: ${missing}`);
console.log(
  failures.length === 0 ? `All passed in ${seconds(begin)}.` : `FAILED in ${seconds(begin)}: ${failures.join('; ')}`,
);
process.exit(failures.length === 0 ? 0 : 1);
