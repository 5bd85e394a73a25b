// Documentation that a machine can hold against the code: every error code has a heading, public names have doc
// comments. What is generated (the contract's page, snippets) scripts/docs.mjs checks.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/process.mjs';

const problems = [];
const read = (...path) => readFileSync(join(root, ...path), 'utf8');

function checkErrorCodes() {
  const { 1: list } = read('packages/core/src/errors.ts').match(/ERROR_CODES = \[([^\]]+)\]/);
  const codes = [...list.matchAll(/'([A-Z_]+)'/g)].map((match) => match[1]);
  const headings = [...read('docs/errors.md').matchAll(/^## `([A-Z_]+)`$/gm)].map((match) => match[1]);
  for (const code of codes) if (!headings.includes(code)) problems.push(`docs/errors.md has no heading for ${code}`);
  for (const heading of headings)
    if (!codes.includes(heading)) problems.push(`docs/errors.md describes ${heading}, which is no error code`);
}

/** Every exported declaration, and every member of an exported interface, says what it is. */
function checkDocComments(file) {
  const lines = read(file).split('\n');
  for (const [i, line] of lines.entries()) {
    const name = line.match(
      /^export (?:declare )?(?:abstract )?(?:async )?(?:function|class|interface|type|const) (\w+)/,
    )?.[1];
    const before = lines[i - 1]?.trim() ?? '';
    if (name !== undefined && !before.endsWith('*/')) problems.push(`${file}:${i + 1}: ${name} has no doc comment`);
  }
}

checkErrorCodes();
const publicFiles = [
  'backoff',
  'capabilities',
  'clock',
  'codec',
  'contract',
  'errors',
  'logger',
  'message',
  'messaging',
  'topic',
  'adapter/spi',
  'adapter/envelope',
  'producer/contract',
  'consumer/contract',
  'dead-letters/contract',
];
for (const file of publicFiles) checkDocComments(`packages/core/src/${file}.ts`);
for (const adapter of ['kafka', 'memory', 'rabbitmq', 'rocketmq'])
  for (const file of ['index', 'options', 'client']) checkDocComments(`packages/adapter-${adapter}/src/${file}.ts`);

for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
