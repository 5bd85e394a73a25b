// Holds the capability tables of the documentation to certificates: those that are kept in docs/certificates (default), or those
// that a run has just written (`--from folder`). The kept ones must also be whole, and say what the code declares today.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cases } from '../packages/contract-kit/dist/src/index.js';
import { root } from './lib/process.mjs';
import { differing, KEPT, missing, otherCases, otherClaims, readCertificates, unproven } from './lib/tables.mjs';

/** The least options with which an adapter can be configured. */
const LEAST = {
  memory: {},
  kafka: { brokers: ['localhost:9092'] },
  rabbitmq: { url: 'amqp://localhost' },
  rocketmq: { endpoints: 'localhost:8081' },
};

const read = (file) => readFileSync(join(root, file), 'utf8');
const kept = readCertificates(KEPT);
const problems = process.argv[2] === '--from' ? ofRun(readCertificates(process.argv[3])) : await ofKept();
for (const problem of problems) console.error(problem);
if (problems.length > 0) console.error('npm run certify runs the contract on every engine and writes the tables.');
process.exit(problems.length === 0 ? 0 : 1);

/** A run says the same of the capabilities as the tables, on another day and perhaps with another broker's version. */
function ofRun(run) {
  const then = ([engine, certificate]) => {
    const { date, about } = kept.get(engine) ?? certificate;
    return [engine, { ...certificate, date, about }];
  };
  return [...unproven(run), ...differing(new Map([...run].map(then)), read)];
}

async function ofKept() {
  const ids = cases.map(({ id }) => id);
  const claims = await Promise.all(
    [...kept].map(async ([engine, one]) => otherClaims(engine, one, await declared(engine))),
  );
  return [...missing(kept), ...unproven(kept), ...otherCases(kept, ids), ...claims.flat(), ...differing(kept, read)];
}

async function declared(engine) {
  const { adapter } = await import(`../packages/adapter-${engine}/dist/src/index.js`);
  return adapter.configure(adapter.optionsSchema.parse(LEAST[engine])).capabilities;
}
