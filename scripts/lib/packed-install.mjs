import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack, publishedPackages } from './packages.mjs';
import { capture, root } from './process.mjs';

/** What the README says that its first snippet prints. */
const EXPECTED = 'shipping o-1, attempt 1';
const TIMEOUT_MS = 20_000;

/**
 * What a user does: packs every package, installs them into an empty project, compiles and runs the README's first snippet
 * there, and ends it with Ctrl-C. True when it prints what the README says and leaves by itself.
 */
export async function packedInstall() {
  const folder = mkdtempSync(join(tmpdir(), 'anymq-install-'));
  try {
    await prepare(folder);
    return await runs(folder);
  } catch (error) {
    console.log(error.message);
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function prepare(folder) {
  const tarballs = await Promise.all(publishedPackages().map(({ path }) => pack(path, folder)));
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const tools = ['typescript', '@types/node'].map((name) => `${name}@${devDependencies[name]}`);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  writeFileSync(join(folder, 'app.ts'), firstSnippet());
  await must(folder, 'npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...tarballs, 'zod', ...tools]);
  await must(folder, 'npx', [
    'tsc',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--types',
    'node',
    'app.ts',
  ]);
}

async function must(cwd, command, args) {
  const { code, stdout, stderr } = await capture(command, args, { cwd });
  if (code !== 0) throw new Error(`${command} ${args[0]} failed:\n${stdout}${stderr}`);
}

/** Prints what it should, then ends by itself after Ctrl-C. */
function runs(cwd) {
  return new Promise((resolve) => {
    const child = spawn('node', ['app.js'], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
    const late = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      printed += text;
      if (printed.includes(EXPECTED)) child.kill('SIGINT');
    });
    child.on('close', (code) => {
      clearTimeout(late);
      console.log(`printed '${printed.trim()}', exit code ${code}`);
      resolve(code === 0 && printed.trim() === EXPECTED);
    });
  });
}

function firstSnippet() {
  return readFileSync(join(root, 'README.md'), 'utf8').match(/```ts\n([\s\S]*?)```/)[1];
}
