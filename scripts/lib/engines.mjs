import { capture } from './process.mjs';

const BROKERS = ['kafka', 'rabbitmq', 'rocketmq'];
const CLI = 'tools/brokers/dist/src/cli.js';

/** The four engines; `missing` says why one cannot be used, `stop` that this run started it. */
export async function startEngines() {
  const engines = [{ name: 'memory' }];
  for (const name of BROKERS) {
    console.log(`Starting ${name}...`);
    const before = await status();
    const { code, stdout, stderr } = await capture('node', [CLI, 'up', name]);
    if (code === 0) engines.push({ name, stop: before[name]?.state !== 'up' });
    else engines.push({ name, missing: (stderr || stdout).trim().split('\n').at(-1) });
  }
  return engines;
}

/** Leaves the machine as it was: what this run started ends, what ran before goes on. */
export async function stopEngines(engines) {
  const ours = engines.filter(({ stop }) => stop).map(({ name }) => name);
  if (ours.length > 0) await capture('node', [CLI, 'down', ...ours]);
}

/** Ends the private brokers of processes that were killed: nobody else would. */
export async function stopOrphans() {
  const { stopPrivate } = await import('../../tools/brokers/dist/src/private.js');
  await stopPrivate();
}

async function status() {
  const { stdout } = await capture('node', [CLI, 'status', '--json']);
  try {
    return Object.fromEntries(JSON.parse(stdout).map((broker) => [broker.name, broker]));
  } catch {
    return {};
  }
}
