import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { capture, root } from './process.mjs';

const CLI = 'examples/user-behaviour/dist/src/cli.js';

/** The real events: $ANYMQ_TEST_INPUT, or shared/data/user-behaviour.csv beside the repository or any folder above it. */
function realInput() {
  if (process.env.ANYMQ_TEST_INPUT) return process.env.ANYMQ_TEST_INPUT;
  for (let folder = root; folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'shared/data/user-behaviour.csv');
    if (existsSync(file)) return file;
  }
  return undefined;
}

/** Runs the demo on an engine and judges its result: everything handled once by both groups, in order. */
export async function runDemo(engine) {
  const input = realInput();
  if (input === undefined)
    console.log(
      'SKIPPED: the real input is not on this machine (set ANYMQ_TEST_INPUT); 1,000 generated events instead.',
    );
  const args = input === undefined ? ['--events', '1000', '--seed', '1'] : ['--input', input];
  const { code, stdout, stderr } = await capture('node', [CLI, '--on', engine, '--json', ...args]);
  const result = parse(stdout.trim().split('\n').at(-1));
  const ok = code === 0 && result !== undefined && complete(result);
  if (!ok) console.log(`exit code ${code}\n${stdout}\n${stderr}`);
  else console.log(JSON.stringify({ ...result, funnel: `${result.funnel.length} categories` }));
  return { ok, funnel: JSON.stringify(result?.funnel) };
}

function complete({ read, invalid, sent, groups }) {
  const { funnel, archive } = groups;
  const all = sent > 0 && sent === read - invalid && funnel.handled === sent && archive.handled === sent;
  return all && funnel.orderViolations === 0 && funnel.duplicates === 0 && archive.duplicates === 0;
}

/** True when every engine that ran the demo found the same funnel, byte for byte. */
export function compareFunnels(engines) {
  const funnels = engines.filter(({ demo }) => demo?.ok).map(({ demo }) => demo.funnel);
  console.log(`${funnels.length} funnels, ${new Set(funnels).size} different`);
  return funnels.length > 0 && new Set(funnels).size === 1;
}

function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
