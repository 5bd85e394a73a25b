import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack, publishedPackages } from './packages.mjs';
import { capture, root } from './process.mjs';

/**
 * What a user does: packs every package, installs them into an empty project, compiles and runs the README's first snippet
 * there. True when it prints what the README says.
 */
export async function packedInstall() {
  const folder = mkdtempSync(join(tmpdir(), 'anymq-install-'));
  try {
    const tarballs = await Promise.all(publishedPackages().map(({ path }) => pack(path, folder)));
    const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
    writeFileSync(join(folder, 'app.ts'), firstSnippet());
    const steps = [
      [
        'npm',
        [
          'install',
          '--no-audit',
          '--no-fund',
          '--loglevel=error',
          ...tarballs,
          'zod',
          `typescript@${devDependencies.typescript}`,
          `@types/node@${devDependencies['@types/node']}`,
        ],
      ],
      [
        'npx',
        [
          'tsc',
          '--strict',
          '--module',
          'nodenext',
          '--target',
          'es2023',
          '--types',
          'node',
          '--skipLibCheck',
          'false',
          'app.ts',
        ],
      ],
      ['node', ['app.js']],
    ];
    for (const [command, args] of steps) {
      const { code, stdout, stderr } = await capture(command, args, { cwd: folder });
      if (code !== 0) {
        console.log(`${command} ${args[0]} failed:\n${stdout}${stderr}`);
        return false;
      }
      if (command === 'node') return sameOutput(stdout);
    }
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function firstSnippet() {
  return readFileSync(join(root, 'README.md'), 'utf8').match(/```ts\n([\s\S]*?)```/)[1];
}

function sameOutput(stdout) {
  const expected = 'shipping o-1, attempt 1';
  console.log(stdout.trim());
  return stdout.includes(expected);
}
