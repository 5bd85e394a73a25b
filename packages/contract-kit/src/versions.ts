import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Name and version of a package that is installed for the module at `from` (its `import.meta.url`), as a certificate tells it:
 * `kafkajs 2.2.4`. Throws where it is not installed.
 */
export function versionOf(name: string, from: string): string {
  for (let folder = dirname(fileURLToPath(from)); ; folder = dirname(folder)) {
    // Not by `require.resolve`: many packages do not export their manifest.
    const file = join(folder, 'node_modules', name, 'package.json');
    if (existsSync(file)) return `${name} ${(JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version}`;
    if (folder === dirname(folder)) throw new Error(`Package '${name}' is not installed for ${from}.`);
  }
}
