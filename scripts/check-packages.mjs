// What a user would install: every published package packs, its exports exist and have types under every module system.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack, publishedPackages } from './lib/packages.mjs';
import { capture } from './lib/process.mjs';

const folder = mkdtempSync(join(tmpdir(), 'anymq-pack-'));
let failed = 0;
try {
  for (const { name, path } of publishedPackages()) {
    const { version } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
    const tarball = await pack(path, folder);
    const checks = [
      ['publint', ['publint', '--strict', path]],
      ['attw', ['attw', tarball, '--profile', 'esm-only']],
    ];
    for (const [check, command] of checks) {
      const { code, stdout, stderr } = await capture('npx', command);
      if (code === 0) continue;
      failed += 1;
      console.error(`${check}: ${name}@${version}\n${stdout}${stderr}`);
    }
  }
  if (readdirSync(folder).length === 0) throw new Error('nothing was packed');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed === 0 ? 0 : 1);
