// Documentation that a machine can hold against the code: every error code has a heading, snippets come from compiled
// examples, public names have doc comments.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
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

/** A fenced block after `<!-- from path#region -->` must be that region of that file, word for word. */
function checkSnippets(file) {
  for (const [, path, region, code] of read(file).matchAll(/<!-- from (\S+?)(?:#(\S+))? -->\n```\w+\n([\s\S]*?)```/g)) {
    const source = read(path);
    const wanted =
      region === undefined
        ? source
        : (source.match(new RegExp(`// #region ${region}\\n([\\s\\S]*?)[ \\t]*// #endregion`))?.[1] ?? '');
    const strip = (text) => text.replace(/^\s+|\s+$/g, '');
    if (strip(code) !== strip(wanted))
      problems.push(`${file}: the snippet from ${path}${region ? `#${region}` : ''} differs from its source`);
  }
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

const markdown = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'), { recursive: true })
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];
checkErrorCodes();
for (const file of markdown) if (existsSync(join(root, file))) checkSnippets(file);
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
];
for (const file of publicFiles) checkDocComments(`packages/core/src/${file}.ts`);
for (const adapter of ['kafka', 'memory', 'rabbitmq', 'rocketmq'])
  for (const file of ['index', 'options', 'client']) checkDocComments(`packages/adapter-${adapter}/src/${file}.ts`);

for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
