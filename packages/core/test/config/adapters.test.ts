import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Application, adapterSource, application, imported, optionsOf } from './fixture.js';

let app: Application;
beforeEach(async () => {
  app = await application();
});
afterEach(() => app.remove());

const only = (adapter: string) => ({ brokers: { log: { adapter } } });

describe('adapters by name', () => {
  test('only those that a topic goes to are imported', async () => {
    for (const name of ['lazy-default', 'lazy-routed', 'lazy-never']) await app.install(name);
    const configuration = await app.resolve({
      brokers: {
        a: { adapter: 'lazy-default' },
        b: { adapter: 'lazy-routed' },
        c: { adapter: 'lazy-never', nonsense: 1 },
        d: { adapter: 'not-installed' },
      },
      default: 'a',
      routes: { 'x.*': 'b' },
    });
    expect([...configuration.brokers.keys()]).toEqual(['a', 'b']);
    expect([...configuration.unused.keys()]).toEqual(['c', 'd']);
    expect(
      imported()
        .filter((name) => name.startsWith('lazy-'))
        .toSorted(),
    ).toEqual(['lazy-default', 'lazy-routed']);
    const load = configuration.unused.get('c')?.load();
    await expect(load).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining('brokers.c.nonsense given to createMessaging: this key is unknown.'),
    });
    expect(configuration.unused.get('c')?.load()).toBe(load);
    expect(imported()).toContain('lazy-never');
    await expect(configuration.unused.get('d')?.load()).rejects.toMatchObject({ code: 'INVALID_CONFIG' });
  });

  test.each([
    ['exports by condition', { exports: { '.': { types: './x.d.ts', import: { default: './index.mjs' } } } }],
    ['exports as a text', { exports: './index.mjs' }],
    ['exports with fallbacks', { exports: [{ browser: './no.js' }, './index.mjs'] }],
    ['main alone', { main: './index.mjs' }],
  ])('a package with %s is found', async (_, manifest) => {
    await app.install('@acme/shape-mq', { manifest });
    expect((await app.resolve(only('@acme/shape-mq'))).brokers.has('log')).toBe(true);
  });

  test('a subpath of a package, a path, a default export and CommonJS are found too', async () => {
    await app.install('@acme/deep', { manifest: { exports: { './mq': './index.mjs' } } });
    await app.write('own/adapter.mjs', "export { adapter as default } from '@acme/deep/mq';");
    const zod = JSON.stringify(createRequire(import.meta.url).resolve('zod'));
    await app.write(
      'own/common.cjs',
      `const { z } = require(${zod});
       const configure = (options) => ({ name: 'common', options, capabilities: {}, create() {} });
       exports.adapter = { name: 'common', optionsSchema: z.strictObject({}), configure };`,
    );
    expect((await app.resolve(only('./own/common.cjs'))).brokers.get('log')?.adapter.name).toBe('common');
    expect((await app.resolve(only('@acme/deep/mq'))).brokers.has('log')).toBe(true);
    expect((await app.resolve(only('./own/adapter.mjs'))).brokers.has('log')).toBe(true);
    expect((await app.resolve(only(join(app.folder, 'own/adapter.mjs')))).brokers.has('log')).toBe(true);
  });

  test('the copy of the application comes before those of the folders above', async () => {
    await app.install('near-mq', { source: 'throw new Error("the far one")' });
    await app.write('inner/node_modules/near-mq/package.json', '{"exports":"./index.mjs"}');
    await app.write('inner/node_modules/near-mq/index.mjs', adapterSource('near-mq'));
    const configuration = await app.resolve({ ...only('near-mq'), cwd: join(app.folder, 'inner') });
    expect(optionsOf(configuration, 'log')).toMatchObject({ url: 'fake://local' });
  });

  test('ready adapters pass as they are', async () => {
    const ready = { name: 'mine', capabilities: {}, create: () => {} } as never;
    const configuration = await app.resolve({ brokers: { log: ready } });
    expect(configuration.brokers.get('log')).toEqual({
      adapter: ready,
      origin: 'brokers.log given to createMessaging',
    });
  });
});

describe('an adapter that cannot be used', () => {
  test.each([
    ['acme-mq', "found 'acme-mq'; package acme-mq is not installed for /app. To install it: npm install acme-mq."],
    [
      '@acme/mq/adapter',
      "found '@acme/mq/adapter'; package @acme/mq/adapter is not installed for /app. To install it: npm install @acme/mq.",
    ],
    ['kafak', "found 'kafak'; package kafak is not installed for /app. Did you mean 'kafka'?"],
    ['./mine.js', "found './mine.js'; there is no file /app/mine.js."],
    ['', "found ''; expected the name of an adapter: kafka, rabbitmq, rocketmq, memory or a package."],
  ])('%j', async (adapter, problem) => {
    expect((await app.problem(only(adapter))).text).toBe(
      `Configuration: brokers.log.adapter given to createMessaging: ${problem}`,
    );
  });

  test.each([
    ['throws', "throw new Error('no native module\\nsecond line')", 'cannot be loaded: no native module.'],
    ['lacks a module', "import 'gone-module';", /cannot be loaded: Cannot find \w+ 'gone-module'.*\.$/],
    [
      'exports nothing',
      'export const x = 1;',
      "exports no 'adapter'. An adapter is { name, optionsSchema: a zod 4 object, configure }.",
    ],
    [
      'exports something else',
      'export const adapter = () => {};',
      "exports as 'adapter' a function that is none. An adapter is { name, optionsSchema: a zod 4 object, configure }.",
    ],
    [
      'has no schema',
      "export default { name: 'x', optionsSchema: { parse() {} }, configure() {} };",
      "exports as 'adapter' an object that is none. An adapter is { name, optionsSchema: a zod 4 object, configure }.",
    ],
  ])('a module that %s', async (_, source, problem) => {
    await app.install('broken-mq', { source });
    const error = await app.problem(only('broken-mq'));
    const start =
      "Configuration: brokers.log.adapter given to createMessaging: 'broken-mq', found at /app/node_modules/broken-mq/index.mjs, ";
    expect(error.text.startsWith(start)).toBe(true);
    if (typeof problem === 'string') expect(error.text.slice(start.length)).toBe(problem);
    else expect(error.text.slice(start.length)).toMatch(problem);
    expect(error.cause === undefined).toBe(!String(problem).includes('cannot be loaded'));
  });

  test('a package without such a module', async () => {
    await app.install('partial-mq', { manifest: { exports: { './other': './index.mjs' } } });
    expect((await app.problem(only('partial-mq'))).text).toBe(
      "Configuration: brokers.log.adapter given to createMessaging: found 'partial-mq'; the package at " +
        '/app/node_modules/partial-mq exports no such module.',
    );
  });

  test('configure() that throws, or returns something else', async () => {
    await app.install('fake-mq');
    const refused = await app.problem({ brokers: { log: { adapter: 'fake-mq', mode: 'safe', lazyStart: true } } });
    expect(refused.text).toBe(
      "Configuration: brokers.log given to createMessaging: adapter 'fake-mq' refuses these options: mode safe cannot start lazily.",
    );
    expect(refused.cause).toHaveProperty('message', 'mode safe cannot start lazily');
    await app.install('odd-mq', {
      source: `${adapterSource('odd-mq').replace('export const adapter', 'const made')}\nexport const adapter = { ...made, configure: () => 5 };`,
    });
    expect((await app.problem(only('odd-mq'))).text).toBe(
      "Configuration: brokers.log given to createMessaging: configure() of adapter 'odd-mq' returned 5; expected { name, capabilities, create }.",
    );
  });
});
