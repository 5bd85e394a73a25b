import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack, publishedPackages } from './packages.mjs';
import { capture, root } from './process.mjs';

const PACKAGES = ['@anymq/core', '@anymq/contract-kit'];
const CONTRACT = ['npx', ['anymq-contract', './my-adapter.js']];
const JEST_ENV = { NODE_OPTIONS: '--experimental-vm-modules --no-warnings' };

/**
 * What somebody does who writes an adapter elsewhere: installs the packed core and contract kit into an empty folder, puts an
 * adapter beside them, and holds it to the contract in every way there is, and in every way that must be refused. True when
 * each said what it should, with the exit code that it should.
 */
export async function stranger() {
  const folder = mkdtempSync(join(tmpdir(), 'anymq-stranger-'));
  try {
    await prepare(folder);
    return await allHold(folder, checks(folder));
  } catch (error) {
    console.log(error.message);
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The example adapter's JavaScript, as its author would have it, and modules that are no good. */
async function prepare(folder) {
  const wanted = publishedPackages().filter(({ name }) => PACKAGES.includes(name));
  const tarballs = await Promise.all(wanted.map(({ path }) => pack(path, folder)));
  const example = join(root, 'examples/file-adapter/dist');
  for (const part of ['src', 'test']) {
    const filter = (path) => !/\.(map|d\.ts)$|store\.test\.js$/.test(path);
    cpSync(join(example, part), join(folder, part), { recursive: true, filter });
  }
  const manifest = {
    name: 'my-adapter',
    private: true,
    type: 'module',
    jest: { testMatch: ['**/*.test.js'], transform: {} },
  };
  const files = {
    'package.json': JSON.stringify(manifest),
    'my-adapter.js': "export { target } from './test/target.js';\n",
    'no-target.js': 'export const queue = 1;\n',
    'broken.js': 'export const = 1;\n',
    'forgetful.js': FORGETFUL,
    'overclaiming.js': OVERCLAIMING,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  mkdirSync(join(folder, 'out'));
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const tools = ['jest', '@jest/globals'].map((name) => `${name}@${devDependencies[name]}`);
  const args = [
    'install',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    '--loglevel=error',
    ...tarballs,
    'zod',
    ...tools,
  ];
  const { code, stdout, stderr } = await capture('npm', args, { cwd: folder });
  if (code !== 0) throw new Error(`npm install failed:\n${stdout}${stderr}`);
}

/** Claims that attempts survive, and notes none. */
const FORGETFUL = `import { tampered } from '@anymq/contract-kit';
import { target as kept } from './test/target.js';
export const target = {
  name: 'forgetful',
  async open() {
    const opened = await kept.open();
    const forgets = () => ({ member: () => ({ receiver: { hold() {} } }) });
    return { ...opened, configure: () => tampered(opened.configure(), forgets) };
  },
};
`;

/** Claims a row that its target has no means to prove. */
const OVERCLAIMING = `import { tampered } from '@anymq/contract-kit';
import { target as kept } from './test/target.js';
const recovery = { level: 'native', note: 'It always comes back.' };
const claims = () => ({ capabilities: ({ rows, limits }) => ({ rows: { ...rows, recovery }, limits }) });
export const target = {
  name: 'overclaiming',
  async open() {
    const opened = await kept.open();
    return { ...opened, configure: () => tampered(opened.configure(), claims) };
  },
};
`;

/** What is run, the exit code, and what the output must say. */
function checks(folder) {
  const [npx, contract] = CONTRACT;
  const run = (...args) => [npx, [...contract, ...args]];
  const other = (module, ...args) => [npx, ['anymq-contract', module, ...args]];
  const file = join(folder, 'out', 'certificate.json');
  return [
    {
      run: run('--certificate', 'out/certificate.json'),
      code: 0,
      says: /The contract is kept\./,
      also: () => isWhole(file),
    },
    { run: run('--law', '6'), code: 0, says: /law {2}6 Order by key +\d+ passed[\s\S]*What ran is kept/ },
    { run: run('--case', 'OR3', '--json'), code: 0, also: ({ stdout }) => isCertificate(JSON.parse(stdout), ['OR3']) },
    { run: [npx, ['jest']], env: JEST_ENV, code: 0, says: /PASS test\/contract[\s\S]*\d+ passed/ },
    { run: ['node', ['--test', 'test/contract.node.js']], code: 0, says: /# fail 0/ },
    { run: [npx, ['anymq-contract', '--list']], code: 0, says: /law 6: Order by key\n {2}OR2 / },
    { run: other('./nowhere.js'), code: 2, says: /^There is no file \S+nowhere\.js\.\n$/ },
    { run: other('nowhere'), code: 2, says: /no package 'nowhere' is installed/ },
    { run: other('./no-target.js'), code: 2, says: /^\.\/no-target\.js exports queue\. Export 'target'/ },
    { run: other('./broken.js'), code: 2, says: /^\.\/broken\.js cannot be loaded: / },
    { run: run('--law', '99'), code: 2, says: /^There is no law 99\./ },
    { run: run('--case', 'OR0'), code: 2, says: /^There is no case OR0\./ },
    {
      run: other('./src/index.js', '--options', '{"folders":"x"}'),
      code: 2,
      says: /^Adapter 'file' refuses the options/,
    },
    { run: other('./forgetful.js', '--law', '7'), code: 1, says: /NOT kept: AK10, RT23\./ },
    {
      run: other('./overclaiming.js', '--case', 'RC1'),
      code: 1,
      says: /claims 'recovery': give its target proxied\(\)/,
    },
  ];
}

/** A few at once: most of their time is waiting. */
async function allHold(folder, waiting) {
  let ok = true;
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) ok = (await holds(folder, next)) && ok;
  };
  await Promise.all([work(), work(), work()]);
  return ok;
}

async function holds(cwd, { run: [command, args], env = {}, code, says = /(?:)/, also = () => true }) {
  const since = performance.now();
  const found = await capture(command, args, { cwd, env });
  const output = `${found.stdout}${found.stderr}`;
  const ok = found.code === code && says.test(output) && also(found);
  const seconds = ((performance.now() - since) / 1000).toFixed(1);
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${[command, ...args].join(' ')}: exit code ${found.code} (${seconds} s)`);
  if (!ok) console.log(`wanted exit code ${code} and ${says}; it said:\n${output}`);
  return ok;
}

function isWhole(file) {
  if (!existsSync(file)) return false;
  const certificate = JSON.parse(readFileSync(file, 'utf8'));
  return certificate.kept === true && isCertificate(certificate, undefined);
}

/** It tells who was tested with what, when and how, and every case that ran. */
function isCertificate({ format, target, about, date, seed, cases, capabilities }, ids) {
  const told = [about.adapter, about.kit, about.node].every((text) => text?.length > 0);
  const ran = ids === undefined || cases.map(({ id }) => id).join() === ids.join();
  return (
    format === 1 &&
    target === 'file' &&
    told &&
    !Number.isNaN(Date.parse(date)) &&
    seed >= 0 &&
    ran &&
    capabilities.length > 0
  );
}
