import { capture } from './process.mjs';

const CLI = 'examples/order-status/dist/src/cli.js';

/** Runs the order-status example on an engine. It checks itself. */
export async function runOrderStatus(engine) {
  const { code, stdout, stderr } = await capture('node', ['--enable-source-maps', CLI, '--on', engine, '--json']);
  if (code === 0) console.log(stdout.trim().split('\n').at(-1));
  else console.log(`exit code ${code}\n${stdout}\n${stderr}`);
  return code === 0;
}
