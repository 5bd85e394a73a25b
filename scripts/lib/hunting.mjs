// One saboteur, or none, against every case on the memory engine, in a process of its own: what it breaks cannot end the run.
// argv: the saboteur's name or '', and the most milliseconds of each case as JSON.
import { target } from '../../packages/adapter-memory/dist/test/support/target.js';
import { cases, runContract, sabotaged, saboteurs } from '../../packages/contract-kit/dist/src/index.js';

const [name, limits] = process.argv.slice(2);
const saboteur = saboteurs.find((one) => one.name === name);
// What a broken adapter leaves behind is not what is asked here.
process.on('unhandledRejection', () => {});
process.on('uncaughtException', () => {});

const opened = await target.open();
const limited = cases.map((one) => ({ ...one, timeoutMs: JSON.parse(limits)[one.id] ?? one.timeoutMs }));
const results = await runContract(saboteur === undefined ? opened : sabotaged(opened, saboteur), { cases: limited });
const told = results.map(({ id, status, error, durationMs }) => ({
  id,
  status,
  durationMs,
  error: error && firstLine(error),
}));
process.send(told, () => process.exit(0));

function firstLine(error) {
  return String(error?.message ?? error)
    .split('\n')[0]
    .slice(0, 200);
}
