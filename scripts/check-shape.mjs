// Whoever knows one adapter knows all: the same files, the same exports, the same headings in the README; and no package
// imports what it must not, not even as a type.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/process.mjs';

const ADAPTERS = ['kafka', 'memory', 'rabbitmq', 'rocketmq'];
const FILES = [
  'adapter',
  'capabilities',
  'client',
  'codec',
  'errors',
  'index',
  'names',
  'options',
  'receiver',
  'sender',
  'topology',
];
const TESTS = ['codec', 'contract', 'errors', 'names', 'native', 'options'];
const HEADINGS = [
  'Install',
  'Use',
  'Options',
  'Delivery semantics',
  'Security',
  'Capabilities',
  'Mapping',
  'Native access',
];
const MAX_CONTRACT_TEST_LINES = 30;
const MAX_FILE_LINES = 350;
const CLIENT_LIBRARY = /^(kafkajs|amqplib|rocketmq-client-nodejs)(\/|$)/;

const problems = [];
const read = (...path) => {
  if (existsSync(join(root, ...path))) return readFileSync(join(root, ...path), 'utf8');
  problems.push(`${path.join('/')} is missing`);
  return '';
};
const tsFiles = (folder) => readdirSync(join(root, folder), { recursive: true }).filter((file) => file.endsWith('.ts'));
const same = (what, found, wanted) => {
  if (JSON.stringify(found) !== JSON.stringify(wanted))
    problems.push(`${what}: found ${found.join(', ')}; wanted ${wanted.join(', ')}`);
};
const namesIn = (folder, suffix) =>
  readdirSync(join(root, folder))
    .filter((file) => file.endsWith(suffix))
    .map((file) => file.slice(0, -suffix.length))
    .sort();

function checkAdapter(adapter) {
  const folder = `packages/adapter-${adapter}`;
  same(`${folder}/src`, namesIn(`${folder}/src`, '.ts'), FILES);
  const tests = namesIn(`${folder}/test`, '.test.ts');
  for (const test of TESTS) if (!tests.includes(test)) problems.push(`${folder}/test/${test}.test.ts is missing`);
  const lines = existsSync(join(root, folder, 'test/contract.test.ts'))
    ? read(folder, 'test/contract.test.ts').split('\n').length - 1
    : 0;
  if (lines > MAX_CONTRACT_TEST_LINES)
    problems.push(`${folder}/test/contract.test.ts has ${lines} lines, at most ${MAX_CONTRACT_TEST_LINES}`);
  const headings = [...read(folder, 'README.md').matchAll(/^## (.+)$/gm)].map((match) => match[1]);
  same(`${folder}/README.md headings`, headings, HEADINGS);
  const index = read(folder, 'src/index.ts');
  const Name = { kafka: 'Kafka', memory: 'Memory', rabbitmq: 'Rabbitmq', rocketmq: 'Rocketmq' }[adapter];
  for (const name of [adapter, 'adapter', `${Name}Options`, `${Name}Native`]) {
    if (!new RegExp(`\\b${name}\\b`).test(index)) problems.push(`${folder}/src/index.ts does not export ${name}`);
  }
}

/** Specifiers of all imports and re-exports, types included. */
function importsOf(file) {
  return [...read(file).matchAll(/(?:from|import\()\s*'([^']+)'/g)].map((match) => match[1]);
}

function checkImports(folder, allowed) {
  for (const name of tsFiles(`${folder}/src`)) {
    for (const specifier of importsOf(`${folder}/src/${name}`)) {
      if (!specifier.startsWith('.') && !specifier.includes('${') && !allowed(specifier, name))
        problems.push(`${folder}/src/${name} must not import '${specifier}'`);
    }
  }
}

function checkSizes(folder) {
  for (const name of tsFiles(folder)) {
    const lines = read(folder, name).split('\n').length - 1;
    if (!name.includes('node_modules') && !name.includes('dist/') && lines > MAX_FILE_LINES)
      problems.push(`${folder}/${name} has ${lines} lines, at most ${MAX_FILE_LINES}`);
  }
}

const isBuiltin = (specifier) => specifier.startsWith('node:');
for (const adapter of ADAPTERS) {
  checkAdapter(adapter);
  checkImports(
    `packages/adapter-${adapter}`,
    (specifier, file) =>
      isBuiltin(specifier) ||
      specifier === 'zod' ||
      specifier === '@anymq/core/adapter' ||
      (CLIENT_LIBRARY.test(specifier) && file === 'client.ts'),
  );
}
checkImports('packages/core', (specifier) => !specifier.startsWith('@anymq/') && !CLIENT_LIBRARY.test(specifier));
checkImports(
  'packages/contract-kit',
  (specifier) =>
    !CLIENT_LIBRARY.test(specifier) && (!specifier.startsWith('@anymq/') || specifier.startsWith('@anymq/core')),
);
checkImports(
  'packages/cli',
  (specifier) => !CLIENT_LIBRARY.test(specifier) && (!specifier.startsWith('@anymq/') || specifier === '@anymq/core'),
);
for (const folder of ['packages', 'tools', 'examples', 'benchmarks']) checkSizes(folder);

for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
