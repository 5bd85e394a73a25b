import { capture } from './process.mjs';

const BROKERS = ['kafka', 'rabbitmq', 'rocketmq'];
const CLI = 'tools/brokers/dist/src/cli.js';

/** The four, in the order in which they are tried. */
export const engineNames = ['memory', ...BROKERS];

/** One engine, up; `missing` says why it cannot be used, `stop` that this run started it. Each costs a share of the machine while it is up. */
export async function startEngine(name) {
  if (!BROKERS.includes(name)) return { name };
  console.log(`Starting ${name}...`);
  const before = await status();
  const { code, stdout, stderr } = await capture('node', [CLI, 'up', name]);
  if (code !== 0) return { name, missing: (stderr || stdout).trim().split('\n').at(-1) };
  return { name, stop: before[name]?.state !== 'up' };
}

/** Leaves the machine as it was: what this run started ends, what ran before goes on. */
export async function stopEngine({ name, stop }) {
  if (stop) await capture('node', [CLI, 'down', name]);
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
