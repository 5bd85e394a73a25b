import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture, root } from './process.mjs';

/** Every package that users can install: name and absolute folder. */
export function publishedPackages() {
  return readdirSync(join(root, 'packages'))
    .map((folder) => join(root, 'packages', folder))
    .map((path) => ({ name: JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')).name, path }));
}

/** Packs a package into `folder`. Resolves with the tarball's path. */
export async function pack(path, folder) {
  const { code, stdout, stderr } = await capture('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: path,
  });
  if (code !== 0) throw new Error(`npm pack failed in ${path}: ${stderr}`);
  const packed = JSON.parse(stdout);
  const [{ filename }] = Array.isArray(packed) ? packed : Object.values(packed);
  return join(folder, filename);
}
