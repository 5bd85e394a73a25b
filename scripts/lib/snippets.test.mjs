import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withSnippets } from './snippets.mjs';

const SOURCE = 'first\n  // #region middle\n  one {\n    two\n  }\n  // #endregion\nlast\n';
const block = (from, code) => `Text.\n\n<!-- from ${from} -->\n\`\`\`ts\n${code}\`\`\`\n\nMore.\n`;
const read = () => SOURCE;

test('a region is cut out and outdented', () => {
  assert.equal(withSnippets(block('a.ts#middle', ''), read), block('a.ts#middle', 'one {\n  two\n}\n'));
});

test('without a region it is the whole file', () => {
  assert.equal(withSnippets(block('a.ts', 'old\n'), read), block('a.ts', SOURCE));
});

test('a region that is not there is an error that names it', () => {
  assert.throws(() => withSnippets(block('a.ts#none', ''), read), { message: "a.ts has no '// #region none'" });
});
