#!/usr/bin/env node
// The door of every npm script: installs and builds what is missing, then runs one task. Plain Node, because on a fresh
// clone nothing else is there.
import { build, checkNode, install } from './lib/prepare.mjs';
import { run } from './lib/process.mjs';

const TASKS = {
  demo: (args) =>
    run('node', ['--enable-source-maps', 'examples/user-behaviour/dist/src/cli.js', ...args], { interactive: true }),
  'order-status': (args) =>
    run('node', ['--enable-source-maps', 'examples/order-status/dist/src/cli.js', ...args], { interactive: true }),
  brokers: (args) => run('node', ['tools/brokers/dist/src/cli.js', ...args], { interactive: true }),
  test: (args) => run('node', ['scripts/test.mjs', ...args], { interactive: true }),
  certify: (args) => run('node', ['scripts/certify.mjs', ...args], { interactive: true }),
  saboteurs: (args) => run('node', ['scripts/saboteurs.mjs', ...args], { interactive: true }),
  chaos: (args) => run('node', ['--enable-source-maps', '--no-warnings', 'scripts/chaos.mjs', ...args]),
  docs: (args) => run('node', ['scripts/docs.mjs', ...args]),
  bench: (args) => run('node', ['scripts/bench.mjs', ...args]),
  lint: (args) => run('node', ['scripts/lint.mjs', ...args]),
};

const [name, ...args] = process.argv.slice(2);
const task = TASKS[name];
if (task === undefined) {
  console.error(`There is no task '${name}'. There are: ${Object.keys(TASKS).join(', ')}.`);
  process.exit(1);
}
checkNode();
if (!(await install()) || !(await build())) process.exit(1);
process.exit(await task(args));
