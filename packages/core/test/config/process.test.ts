/** What only a process of its own shows: which modules were loaded, and what Node itself says about broken code. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Application, application } from './fixture.js';

const run = promisify(execFile);
const CONFIG = new URL('../../src/config/index.js', import.meta.url).href;

/** Prints the URL of every module that is loaded. */
const HOOK = `
import { writeSync } from 'node:fs';
export async function load(url, context, next) { writeSync(1, url + '\\n'); return next(url, context); }`;

const PROGRAM = `
import { register } from 'node:module';
import { inspect } from 'node:util';
register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(HOOK)}));
const { resolveConfiguration } = await import(${JSON.stringify(CONFIG)});
const text = await resolveConfiguration({ env: {} }).then((it) => 'default ' + it.default, (error) => inspect(error));
console.log('RESULT ' + text);`;

let app: Application;
beforeEach(async () => {
  app = await application();
  for (const name of ['used-mq', 'other-mq']) await app.install(name);
});
afterEach(() => app.remove());

async function start(): Promise<{ readonly loaded: string; readonly result: string }> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', PROGRAM], { cwd: app.folder });
  const [loaded = '', result = ''] = stdout.split('RESULT ');
  return { loaded, result: result.trim() };
}

const BROKERS = { a: { adapter: 'used-mq' }, b: { adapter: 'other-mq' }, c: { adapter: 'kafka', brokers: ['x'] } };
const CONTENT = JSON.stringify({ default: 'a', brokers: BROKERS });

describe('in a process of its own', () => {
  test('JSON loads the one adapter in use, and nothing that is for other files', async () => {
    await app.write('anymq.config.json', CONTENT);
    const { loaded, result } = await start();
    expect(result).toBe('default a');
    expect(loaded).toContain('/used-mq/');
    expect(loaded).not.toMatch(/other-mq|adapter-kafka|kafkajs|amqplib|rocketmq|\/(?:c12|jiti|dotenv|confbox)\//);
  });

  test.each([
    ['anymq.config.mjs', `export default ${CONTENT};`],
    ['anymq.config.js', `export default ${CONTENT};`],
    ['anymq.config.cjs', `module.exports = ${CONTENT};`],
    ['anymq.config.ts', `const a: string = 'a';\nexport default ${CONTENT.replace('"default":"a"', 'default: a')};`],
    ['anymq.config.yaml', CONTENT],
  ])('%s is read', async (file, content) => {
    await app.write(file, content);
    const { loaded, result } = await start();
    expect(result).toBe('default a');
    expect(loaded).not.toContain('/other-mq/');
  });

  test.each([
    ['anymq.config.mjs', 'export default {\n  password: "hunter2" hunter2\n};'],
    ['anymq.config.cjs', 'module.exports = {\n  password: "hunter2" hunter2\n};'],
    ['anymq.config.ts', 'export default {\n  password: "hunter2" hunter2\n};'],
  ])('%s with a syntax error is told by place, without the code', async (file, content) => {
    await app.write(file, content);
    const { result } = await start();
    expect(result).toMatch(/anymq\.config\.\w+(?:, line |:)2|node --check/);
    expect(result).toContain("code: 'INVALID_CONFIG'");
    expect(result).not.toContain('hunter2');
  });

  test('an error in a module that the file imports is not lost', async () => {
    await app.write('anymq.config.mjs', `import './broken.mjs';\nexport default ${CONTENT};`);
    await app.write('broken.mjs', "throw new Error('the vault is closed');");
    const { result } = await start();
    expect(result).toContain('/anymq.config.mjs cannot be loaded: the vault is closed.');
  });
});
