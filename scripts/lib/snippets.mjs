import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './process.mjs';

/** A fenced block after `<!-- from path#region -->` is that region of that file (without a region: all of it), word for word. */
const SNIPPET = /(<!-- from (\S+?)(?:#(\S+))? -->\n```\w+\n)([\s\S]*?)(```)/g;

/** Every document that can hold snippets, from the root folder. */
export function documents() {
  const packages = readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`);
  const pages = readdirSync(join(root, 'docs'), { recursive: true })
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`);
  return ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', ...packages, ...pages];
}

/** The document with every snippet as its source has it. @throws where a source has no such region */
export function withSnippets(text, read) {
  return text.replace(
    SNIPPET,
    (_, head, path, region, __, tail) => `${head}${regionOf(read(path), path, region)}\n${tail}`,
  );
}

function regionOf(source, path, name) {
  if (name === undefined) return source.trimEnd();
  const [, region] = source.match(new RegExp(`// #region ${name}\\n([\\s\\S]*?)\\n[ \\t]*// #endregion`)) ?? [];
  if (region === undefined) throw new Error(`${path} has no '// #region ${name}'`);
  return outdented(region);
}

function outdented(text) {
  const lines = text.trimEnd().split('\n');
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.match(/^ */)[0].length);
  return lines.map((line) => line.slice(Math.min(...indents))).join('\n');
}
