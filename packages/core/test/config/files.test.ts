import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { defineConfig } from '../../src/config/index.js';
import { type Application, application, optionsOf } from './fixture.js';

let app: Application;
beforeEach(async () => {
  app = await application();
  await app.install('fake-mq');
});
afterEach(() => app.remove());

const JSON_TEXT = JSON.stringify({
  $schema: 'https://example.org/anymq.json',
  default: 'log',
  namespace: 'shop',
  connectTimeoutMs: 5000,
  brokers: { log: { adapter: 'fake-mq', port: 9, tls: { ca: 'x' } }, spare: { adapter: 'fake-mq' } },
  routes: { 'orders.*': 'log' },
});

const YAML_TEXT = `
default: log
namespace: shop
connectTimeoutMs: 5000
brokers:
  log: { adapter: fake-mq, port: 9, tls: { ca: x } }
  spare: { adapter: fake-mq }
routes:
  orders.*: log
`;

describe('a configuration file', () => {
  test.each([
    ['anymq.config.json', JSON_TEXT],
    ['anymq.config.jsonc', `// brokers of the shop\n${JSON_TEXT.replace(/}$/, ',}')}`],
    ['anymq.config.js', `module.exports = ${JSON_TEXT};`],
    ['anymq.config.cjs', `module.exports = ${JSON_TEXT};`],
    ['anymq.config.mjs', `export default ${JSON_TEXT};`],
    ['anymq.config.ts', `const port: number = 9;\nexport default { ...${JSON_TEXT}, ignored: undefined as never };`],
    ['anymq.config.mts', `interface X { a: 1 }\nexport default ${JSON_TEXT};`],
    ['anymq.config.yaml', YAML_TEXT],
    ['anymq.config.yml', YAML_TEXT],
  ])('%s is found and means the same', async (file, content) => {
    await app.write(file, content.replace(', ignored: undefined as never', ''));
    const configuration = await app.resolve();
    expect(configuration).toMatchObject({
      default: 'log',
      namespace: 'shop',
      connectTimeoutMs: 5000,
      routes: { 'orders.*': 'log' },
    });
    expect(optionsOf(configuration, 'log')).toEqual({
      url: 'fake://local',
      lazyStart: false,
      port: 9,
      tls: { ca: 'x' },
    });
    expect(configuration.brokers.get('log')?.origin).toBe(`brokers.log in ${join(app.folder, file)}`);
    expect([...configuration.unused.keys()]).toEqual(['spare']);
    expect(configuration.route('orders.paid')).toBe('log');
  });

  test('.ts may hold ready adapters, typed by defineConfig', async () => {
    await app.write(
      'anymq.config.ts',
      `import { adapter } from 'fake-mq';
       export default { brokers: { log: adapter.configure({ url: 'fake://ready' }) } } satisfies object;`,
    );
    expect(optionsOf(await app.resolve(), 'log')).toEqual({ url: 'fake://ready' });
    const configuration = defineConfig({ brokers: { local: { adapter: 'memory' } }, namespace: 'shop' });
    expect(configuration.namespace).toBe('shop');
  });

  test('defaults: the only broker, namespace anymq, 30 seconds, no routes', async () => {
    await app.write('anymq.config.json', '{"brokers":{"log":{"adapter":"fake-mq"}}}');
    expect(await app.resolve()).toMatchObject({
      default: 'log',
      namespace: 'anymq',
      connectTimeoutMs: 30_000,
      routes: {},
    });
  });

  test('configFile names another, relative to cwd', async () => {
    await app.write('anymq.config.json', '{}');
    await app.write('deep/mine.json', '{"brokers":{"log":{"adapter":"../adapter.mjs"}}}');
    await app.write('adapter.mjs', "export { adapter as default } from 'fake-mq';");
    const configuration = await app.resolve({ configFile: 'deep/mine.json' });
    expect(configuration.brokers.get('log')?.origin).toBe(`brokers.log in ${join(app.folder, 'deep/mine.json')}`);
  });

  test('nothing else is read: no .env, rc file, package.json, .config folder, parent folder, or part by NODE_ENV', async () => {
    const other = '{"namespace":"wrong"}';
    await app.write('app/anymq.config.json', '{"brokers":{"log":{"adapter":"fake-mq"}}}');
    await app.write('app/.anymqrc', 'namespace=wrong');
    await app.write('app/.env', 'ANYMQ_NAMESPACE=wrong');
    await app.write('app/package.json', `{"anymq":${other}}`);
    await app.write('app/.config/anymq.json', other);
    await app.write('anymq.config.yaml', 'namespace: wrong');
    expect((await app.resolve({ cwd: join(app.folder, 'app') })).namespace).toBe('anymq');
    const text =
      'brokers: { log: { adapter: fake-mq } }\n$test: { namespace: wrong }\n$env: {}\n$meta: { a: 1 }\nextends: ./x\n';
    await app.write('app/other.yaml', text);
    const { text: message } = await app.problem({ cwd: join(app.folder, 'app'), configFile: 'other.yaml' });
    for (const key of ['$test', '$env', '$meta', 'extends']) {
      expect(message).toContain(`${key} in /app/app/other.yaml: this key is unknown.`);
    }
  });

  test('is read anew by every call', async () => {
    await app.write('anymq.config.json', '{"namespace":"one","brokers":{"log":{"adapter":"fake-mq"}}}');
    expect((await app.resolve()).namespace).toBe('one');
    await app.write('anymq.config.json', '{"namespace":"two","brokers":{"log":{"adapter":"fake-mq"}}}');
    expect((await app.resolve()).namespace).toBe('two');
  });
});

describe('a file that cannot be used', () => {
  test('none at all: where was looked, and the smallest that works', async () => {
    await mkdir(join(app.folder, 'anymq.config.json'));
    expect((await app.problem()).text).toBe(
      'Configuration: there is none. Looked for anymq.config.{json,jsonc,js,mjs,cjs,ts,mts,yaml,yml} in /app and for ' +
        'ANYMQ_BROKERS_<NAME>_ADAPTER in the environment. The smallest that works is anymq.config.json with ' +
        '{"brokers":{"local":{"adapter":"memory"}}}, or in code ' +
        "createMessaging({ brokers: { local: { adapter: 'memory' } } }).",
    );
  });

  test('two at once', async () => {
    await app.write('anymq.config.json', JSON_TEXT);
    await app.write('anymq.config.ts', 'throw new Error("must not be read")');
    expect((await app.problem()).text).toBe(
      'Configuration: /app/anymq.config.json and /app/anymq.config.ts are all there. Keep one, or name one as configFile.',
    );
  });

  test.each([
    ['gone.json', 'Configuration: configFile /app/gone.json: there is no such file.'],
    [
      'anymq.toml',
      'Configuration: configFile /app/anymq.toml: expected a name that ends in .json, .jsonc, .js, .mjs, .cjs, .ts, .mts, .yaml, .yml.',
    ],
  ])('configFile %s', async (configFile, message) => {
    expect((await app.problem({ configFile })).text).toBe(message);
  });

  test.each([
    ['a.json', '', 'Configuration: /app/a.json, line 1, column 1: expected a value.'],
    ['a.json', '[]', 'Configuration: /app/a.json: found an empty list; expected an object with brokers.'],
    ['a.json', 'null', 'Configuration: /app/a.json: found null; expected an object with brokers.'],
    [
      'a.json',
      '{"brokers": {"a": {"adapter": "x"}, "a": {}}}',
      "Configuration: /app/a.json, line 1, column 37: key 'a' stands twice in one object.",
    ],
    [
      'a.jsonc',
      '{"password": "hunter2" "b": 1}',
      "Configuration: /app/a.jsonc, line 1, column 24: expected ',' or '}'.",
    ],
    ['a.yaml', '', 'Configuration: /app/a.yaml: found nothing; expected an object with brokers.'],
    [
      'a.yaml',
      'password: "hunter2\nb: 1',
      'Configuration: /app/a.yaml, line 3, column 1: unexpected end of the stream within a double quoted scalar.',
    ],
    ['a.yaml', 'password: *hunter2', 'Configuration: /app/a.yaml, line 1, column 19: unidentified alias.'],
    ['a.yaml', 'password: !hunter2 x', 'Configuration: /app/a.yaml, line 1, column 21: unknown tag.'],
    ['a.yaml', 'a: 1\na: 2', 'Configuration: /app/a.yaml, line 2, column 1: duplicated mapping key.'],
    ['a.mjs', 'export default null;', 'Configuration: /app/a.mjs: found null; expected an object with brokers.'],
    [
      'b.mjs',
      'export const config = {};',
      'Configuration: /app/b.mjs: found nothing; expected an object with brokers.',
    ],
    [
      'a.cjs',
      'module.exports = { password: "hunter2" x };',
      "Configuration: /app/a.cjs: syntax error in it or in what it imports. 'node --check /app/a.cjs' shows where.",
    ],
  ])('%s with %j', async (configFile, content, message) => {
    await app.write(configFile, content);
    const error = await app.problem({ configFile });
    expect(error.text).toBe(message);
    expect(error.cause).toBeUndefined();
  });

  test('code that throws is told with its own error', async () => {
    await app.write('a.ts', "throw new Error('DB_URL is not set, was amqp://u:hunter2@h')");
    const error = await app.problem({ configFile: 'a.ts' });
    expect(error.text).toBe('Configuration: /app/a.ts cannot be loaded: DB_URL is not set, was amqp://[hidden]@h.');
    expect(error.cause).toHaveProperty('message', expect.stringContaining('DB_URL is not set'));
  });

  test('TypeScript that is none is told by place', async () => {
    await app.write('a.ts', 'export default {\n  password: "hunter2" x\n}');
    const { text } = await app.problem({ configFile: 'a.ts' });
    expect(text).toMatch(/^Configuration: \/app\/a\.ts cannot be loaded: .*a\.ts:2:\d+\.$/);
    expect(text).not.toContain('hunter2');
  });
});
