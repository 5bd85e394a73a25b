// Everything that proves AnyMQ: units and types, the contract, the demo and the order-status example on four engines, a packed install.
// Ends with a line per engine. ANYMQ_TEST_REQUIRE_BROKERS=1 turns a missing broker from a loud skip into a failure.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { passed, problems } from './lib/chaos.mjs';
import { compareFunnels, runDemo } from './lib/demo.mjs';
import { engineNames, startEngine, stopEngine, stopOrphans } from './lib/engines.mjs';
import { failedTests, jest } from './lib/jest.mjs';
import { machine } from './lib/machine.mjs';
import { dataInMemory } from './lib/memory-disk.mjs';
import { runOrderStatus } from './lib/order-status.mjs';
import { packedInstall } from './lib/packed-install.mjs';
import { capture, killAll, root, run } from './lib/process.mjs';
import { stranger } from './lib/stranger.mjs';
import { contractResult, failedCases, summary } from './lib/summary.mjs';

const results = join(root, '.results');
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(0)} s`;
const failures = [];
/** What exactly failed, for the last lines: whoever sees only the end of a log needs no more. */
const details = [];
/** The longest takes seven on a quiet machine. What hangs must fail here, by name, not wherever all this is run. */
const STEP_MINUTES = 20;

async function step(name, work) {
  const since = performance.now();
  console.log(`\n== ${name}`);
  const timer = setTimeout(() => {
    for (const command of killAll()) console.log(`== ${name}: not over in ${STEP_MINUTES} min, ended: ${command}`);
  }, STEP_MINUTES * 60_000);
  const ok = await work();
  clearTimeout(timer);
  if (!ok) details.push(`${name}: ${machine()}`);
  if (!ok) await stopOrphans();
  console.log(`== ${name}: ${ok ? 'ok' : 'FAILED'} (${seconds(since)})`);
  if (!ok) failures.push(name);
}

async function shortChaos(engine) {
  const json = join(results, `chaos-${engine}.json`);
  const ok = (await run('node', ['scripts/chaos.mjs', '--short', '--on', engine, '--json', json])) === 0;
  if (!ok) details.push(...chaosProblems(json));
  return ok;
}

function chaosProblems(json) {
  if (!existsSync(json)) return [`${json} was not written`];
  return JSON.parse(readFileSync(json, 'utf8'))
    .rows.filter((row) => !passed(row))
    .map(problems);
}

async function units() {
  const json = join(results, 'units.json');
  const ok = await jest({ ignore: ['contract\\.test', 'native\\.test', 'integration\\.test'], json });
  if (!ok && existsSync(json)) details.push(...failedTests(json));
  return ok;
}

/** What runs on the shared broker. */
async function onSharedBroker(engine) {
  const { name, env } = engine;
  await step(`what only ${name} has`, () => jest({ match: [`adapter-${name}/.*native\\.test`], serial: true, env }));
  await step(`demo on ${name}`, async () => {
    engine.demo = await runDemo(name);
    return engine.demo.ok;
  });
  await step(`order status on ${name}`, () => runOrderStatus(name));
}

async function contract(name) {
  await step(`contract on ${name}`, async () => {
    const ok = await jest({ match: [`adapter-${name}/.*contract\\.test`], serial: true, results });
    details.push(...failedCases(results, name));
    return ok;
  });
}

/** What starts brokers of its own: when the shared one is down, which would take half a processor with all that was made on it. */
async function onPrivateBrokers({ name }) {
  await contract(name);
  if (name !== 'memory') await step(`chaos on ${name}, short form`, () => shortChaos(name));
}

/** One after another: a broker that is up takes a share of the machine, also when nobody uses it. */
async function everyEngine() {
  const engines = [];
  for (const name of engineNames) {
    const engine = await startEngine(name);
    engines.push(engine);
    if (engine.missing !== undefined) continue;
    try {
      await onSharedBroker(engine);
    } finally {
      await stopEngine(engine);
    }
    await onPrivateBrokers(engine);
  }
  return engines;
}

const begin = performance.now();
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });
const backToDisk = dataInMemory();
await step('units and types', () => units());
await step('contract on the example adapter', () => jest({ match: ['file-adapter/.*contract\\.test'] }));
await step('brokers as a tool', () => jest({ match: ['tools/brokers/.*integration\\.test'], serial: true }));
const engines = await everyEngine();
await step('the capability tables say what was proven', async () => {
  const { code, stdout, stderr } = await capture('node', ['scripts/check-capabilities.mjs', '--from', results]);
  console.log(`${stdout}${stderr}`);
  return code === 0;
});
await step('the funnel is the same on every engine', () => compareFunnels(engines));
await step('packed install', packedInstall);
await step('an adapter of a stranger, with the published packages alone', stranger);
// What ran before goes on.
if (engines.every(({ stop }) => stop !== false)) backToDisk();

console.log(`\n${summary(engines, (engine) => contractResult(results, engine))}`);
const required = process.env.ANYMQ_TEST_REQUIRE_BROKERS === '1';
for (const { name, missing } of engines)
  if (missing !== undefined && required) failures.push(`${name} is required: ${missing}`);
if (details.length > 0) console.log(details.join('\n'));
console.log(
  failures.length === 0 ? `All passed in ${seconds(begin)}.` : `FAILED in ${seconds(begin)}: ${failures.join('; ')}`,
);
process.exit(failures.length === 0 ? 0 : 1);
