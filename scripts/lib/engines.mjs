import { capture } from './process.mjs';

const BROKERS = ['kafka', 'rabbitmq', 'rocketmq'];
const CLI = 'tools/brokers/dist/src/cli.js';

/** The four, in the order in which they are tried. */
export const engineNames = ['memory', ...BROKERS];

/**
 * One engine, up: never one that others have started, who knows what is left on it. `env` tells tests where; `missing` says why it cannot be
 * used, `stop` that this run started it. Each costs a share of the machine while it is up.
 */
export async function startEngine(name) {
  if (!BROKERS.includes(name)) return { name };
  console.log(`Starting ${name}...`);
  const before = await status();
  const { code, stdout, stderr } = await capture('node', [CLI, 'up', '--own', name]);
  if (code !== 0) return { name, missing: (stderr || stdout).trim().split('\n').at(-1) };
  const after = await status();
  return { name, env: environmentOf[name](after[name].connection), stop: !isOurs(before[name]) };
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

/** What tests that use a broker that runs look at. Those of RocketMQ ask for the shared one themselves. */
const environmentOf = {
  kafka: ({ brokers: [first] }) => ({ ANYMQ_TEST_KAFKA: first }),
  rabbitmq: ({ url }) => ({ ANYMQ_TEST_RABBITMQ_URL: url.replace('//', '//guest:guest@') }),
  rocketmq: () => ({}),
};

const isOurs = (broker) => broker?.state === 'up' && !broker.foreign;

async function status() {
  const { stdout } = await capture('node', [CLI, 'status', '--json']);
  try {
    return Object.fromEntries(JSON.parse(stdout).map((broker) => [broker.name, broker]));
  } catch {
    return {};
  }
}
