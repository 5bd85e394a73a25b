import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Application, adapterSource, application, imported, optionsOf } from './fixture.js';

let app: Application;
beforeEach(async () => {
  app = await application();
  await app.install('fake-mq');
});
afterEach(() => app.remove());

const FILE = {
  default: 'log',
  brokers: { log: { adapter: 'fake-mq', port: 1, servers: ['a'] }, 'eu.office': { adapter: 'fake-mq' } },
};
const writeFile = (extra: object = {}) => app.write('anymq.config.json', JSON.stringify({ ...FILE, ...extra }));

describe('the environment', () => {
  test.each([
    ['PORT', '9092', { port: 9092 }],
    ['URL', 'fake://elsewhere', { url: 'fake://elsewhere' }],
    ['SERVERS', 'a:1', { servers: ['a:1'] }],
    ['SERVERS', 'a:1, b:2', { servers: ['a:1', 'b:2'] }],
    ['SERVERS', '["a:1","b,2"]', { servers: ['a:1', 'b,2'] }],
    ['SERVERS', '9092', { servers: ['9092'] }],
    ['LAZY_START', 'true', { lazyStart: true }],
    ['LAZY_START', 'false', { lazyStart: false }],
    ['MODE', 'fast', { mode: 'fast' }],
    ['TLS', 'true', { tls: true }],
    ['TLS', '{"ca":"x"}', { tls: { ca: 'x' } }],
    ['TLS_CA', 'true', { tls: { ca: 'true' } }],
    ['TLS_REJECT_UNAUTHORIZED', 'false', { tls: { rejectUnauthorized: false } }],
    ['WEIGHTS', '{"a":1}', { weights: { a: 1 } }],
    // What a schema accepts as text stays text.
    ['PASSWORD', '12345', { password: '12345' }],
    ['PASSWORD', 'null', { password: 'null' }],
  ])('ANYMQ_BROKERS_LOG_%s=%s', async (option, text, expected) => {
    await writeFile();
    const configuration = await app.resolve({ env: { [`ANYMQ_BROKERS_LOG_${option}`]: text } });
    expect(optionsOf(configuration, 'log')).toMatchObject(expected);
    expect(configuration.brokers.get('log')?.origin).toBe(
      `brokers.log in ${app.folder}/anymq.config.json and ANYMQ_BROKERS_LOG_${option}`,
    );
  });

  test('several variables make one nested object, inner ones above outer ones', async () => {
    await writeFile();
    const env = {
      ANYMQ_BROKERS_LOG_SASL: '{"mechanism":"plain","username":"u","password":"wrong"}',
      ANYMQ_BROKERS_LOG_SASL_PASSWORD: '123456',
      ANYMQ_BROKERS_LOG_TLS_CA: 'x',
      ANYMQ_BROKERS_LOG_TLS_REJECT_UNAUTHORIZED: 'true',
    };
    expect(optionsOf(await app.resolve({ env }), 'log')).toMatchObject({
      sasl: { mechanism: 'plain', username: 'u', password: '123456' },
      tls: { ca: 'x', rejectUnauthorized: true },
    });
  });

  test('overrides every key of the top', async () => {
    await writeFile({ namespace: 'file', connectTimeoutMs: 1000, routes: { '#': 'log' } });
    const env = {
      ANYMQ_DEFAULT: 'eu.office',
      ANYMQ_NAMESPACE: 'env',
      ANYMQ_CONNECT_TIMEOUT_MS: '2000',
      ANYMQ_ROUTES: '{"a.*":"log"}',
      ANYMQ_BROKERS_EU_OFFICE_PORT: '2',
    };
    const configuration = await app.resolve({ env });
    expect(configuration).toMatchObject({
      default: 'eu.office',
      namespace: 'env',
      connectTimeoutMs: 2000,
      routes: { 'a.*': 'log' },
    });
    expect(optionsOf(configuration, 'eu.office')).toMatchObject({ port: 2 });
  });

  test('code stands above it, and with brokers in code it is not read', async () => {
    await writeFile();
    const env = { ANYMQ_DEFAULT: 'eu.office', ANYMQ_NAMESPACE: 'env' };
    expect(await app.resolve({ env, default: 'log' })).toMatchObject({ default: 'log', namespace: 'env' });
    const brokers = { code: { adapter: 'fake-mq' } };
    expect(await app.resolve({ env: { ANYMQ_NONSENSE: 'x' }, brokers })).toMatchObject({ default: 'code' });
  });

  test('is enough without a file', async () => {
    const env = { ANYMQ_BROKERS_MY_LOG_ADAPTER: 'fake-mq', ANYMQ_BROKERS_MY_LOG_PORT: '7' };
    const configuration = await app.resolve({ env });
    expect(configuration.default).toBe('my-log');
    expect(optionsOf(configuration, 'my-log')).toMatchObject({ port: 7 });
    expect(configuration.brokers.get('my-log')?.origin).toBe(
      'brokers.my-log in the environment (ANYMQ_BROKERS_MY_LOG_*)',
    );
  });

  test('an option may be set before the adapter that has it is loaded', async () => {
    await app.install('lazy-env');
    await writeFile({ brokers: { log: { adapter: 'fake-mq' }, spare: { adapter: 'lazy-env' } } });
    const { unused } = await app.resolve({ env: { ANYMQ_BROKERS_SPARE_PORT: '5' } });
    expect(imported()).not.toContain('lazy-env');
    expect(unused.get('spare')?.origin).toBe(
      `brokers.spare in ${app.folder}/anymq.config.json and ANYMQ_BROKERS_SPARE_PORT`,
    );
    expect(await unused.get('spare')?.load()).toMatchObject({ options: { port: 5 } });
    const wrong = await app.resolve({ env: { ANYMQ_BROKERS_SPARE_PROT: '5' } });
    await expect(wrong.unused.get('spare')?.load()).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message:
        'Configuration: ANYMQ_BROKERS_SPARE_PROT in the environment: this is no option of broker spare (lazy-env). ' +
        'Did you mean ANYMQ_BROKERS_SPARE_PORT?',
    });
  });

  test('leaves alone what is for tests, and what platforms set for a service called anymq', async () => {
    await writeFile();
    const env = {
      ANYMQ_TEST_ANYTHING: 'x',
      ANYMQ_SERVICE_HOST: '10.0.0.1',
      ANYMQ_SERVICE_PORT_HTTP: '80',
      ANYMQ_PORT: 'tcp://10.0.0.1:80',
      ANYMQ_PORT_80_TCP_ADDR: '10.0.0.1',
      ANYMQ_DEMO_SERVICE_HOST: '10.0.0.1',
      ANYMQUEUE: 'x',
      ANYMQ_NAMESPACE: undefined,
    };
    expect((await app.resolve({ env })).namespace).toBe('anymq');
  });

  test('the frozen object of a file is left as it is', async () => {
    await app.write(
      'anymq.config.mjs',
      "export default Object.freeze({ brokers: Object.freeze({ log: Object.freeze({ adapter: 'fake-mq', tls: Object.freeze({}) }) }) });",
    );
    const env = { ANYMQ_BROKERS_LOG_TLS_CA: 'x', ANYMQ_BROKERS_LOG_ADAPTER: 'fake-mq' };
    expect(optionsOf(await app.resolve({ env }), 'log')).toMatchObject({ tls: { ca: 'x' } });
  });
});

describe('a variable that cannot be used', () => {
  test.each([
    ['ANYMQ_DEFALT', 'this variable is unknown. Did you mean ANYMQ_DEFAULT?'],
    ['Anymq_Default', 'this variable is unknown. Did you mean ANYMQ_DEFAULT?'],
    [
      'ANYMQ_URL',
      'this variable is unknown. Keys are ANYMQ_DEFAULT, ANYMQ_ROUTES, ANYMQ_NAMESPACE, ANYMQ_CONNECT_TIMEOUT_MS and ' +
        'ANYMQ_BROKERS_<NAME>_<OPTION>; ANYMQ_TEST_* is left alone.',
    ],
    [
      'ANYMQ_BROKERS_DIR',
      'a variable under ANYMQ_BROKERS_ names a broker and an option of it; brokers: log, eu.office.',
    ],
    [
      'ANYMQ_BROKERS_ADAPTER',
      'a variable under ANYMQ_BROKERS_ names a broker and an option of it; brokers: log, eu.office.',
    ],
    [
      'ANYMQ_BROKERS_LOGS_PORT',
      'a variable under ANYMQ_BROKERS_ names a broker and an option of it; brokers: log, eu.office. ' +
        'Did you mean ANYMQ_BROKERS_LOG_PORT?',
    ],
    [
      'ANYMQ_BROKERS_LOG_SASL_PASWORD',
      'this is no option of broker log (fake-mq). Did you mean ANYMQ_BROKERS_LOG_SASL_PASSWORD?',
    ],
    [
      'ANYMQ_BROKERS_LOG_SERVICE_HOST',
      'this is no option of broker log (fake-mq). Known: ANYMQ_BROKERS_LOG_ADAPTER, ANYMQ_BROKERS_LOG_URL, ' +
        'ANYMQ_BROKERS_LOG_PORT, ANYMQ_BROKERS_LOG_SERVERS, ANYMQ_BROKERS_LOG_LAZY_START, ANYMQ_BROKERS_LOG_MODE, ' +
        'ANYMQ_BROKERS_LOG_TLS, ANYMQ_BROKERS_LOG_TLS_CA, ANYMQ_BROKERS_LOG_TLS_REJECT_UNAUTHORIZED, ANYMQ_BROKERS_LOG_SASL, ' +
        'ANYMQ_BROKERS_LOG_SASL_MECHANISM, ANYMQ_BROKERS_LOG_SASL_USERNAME, ANYMQ_BROKERS_LOG_SASL_PASSWORD, ' +
        'ANYMQ_BROKERS_LOG_SASL_TOKEN, ANYMQ_BROKERS_LOG_WEIGHTS, ANYMQ_BROKERS_LOG_PASSWORD.',
    ],
    [
      'ANYMQ_BROKERS_LOG_WEIGHTS_A',
      'this is no option of broker log (fake-mq). Did you mean ANYMQ_BROKERS_LOG_WEIGHTS?',
    ],
  ])('%s', async (name, problem) => {
    await writeFile();
    expect((await app.problem({ env: { [name]: 'x' } })).text).toBe(
      `Configuration: ${name} in the environment: ${problem}`,
    );
  });

  test.each([
    ['PORT', 'x9', "brokers.log.port from ANYMQ_BROKERS_LOG_PORT: found 'x9'; expected number."],
    ['PORT', '0', 'brokers.log.port from ANYMQ_BROKERS_LOG_PORT: found 0; expected number to be >=1.'],
    ['PORT', '', "brokers.log.port from ANYMQ_BROKERS_LOG_PORT: found ''; expected number."],
    ['MODE', 'slow', `brokers.log.mode from ANYMQ_BROKERS_LOG_MODE: found 'slow'; expected one of "fast"|"safe".`],
    [
      'SERVERS',
      '[]',
      'brokers.log.servers from ANYMQ_BROKERS_LOG_SERVERS: found an empty list; expected array to have >=1 items.',
    ],
    ['TLS', 'yes', "brokers.log.tls from ANYMQ_BROKERS_LOG_TLS: found 'yes'; expected boolean or object."],
    ['TLS', '{"caa":1}', "brokers.log.tls.caa from ANYMQ_BROKERS_LOG_TLS: this key is unknown. Did you mean 'ca'?"],
    [
      'ADAPTER',
      '',
      "brokers.log.adapter from ANYMQ_BROKERS_LOG_ADAPTER: found ''; expected the name of an adapter: kafka, rabbitmq, rocketmq, memory or a package.",
    ],
  ])('ANYMQ_BROKERS_LOG_%s=%s', async (option, text, problem) => {
    await writeFile();
    expect((await app.problem({ env: { [`ANYMQ_BROKERS_LOG_${option}`]: text } })).text).toBe(
      `Configuration: ${problem}`,
    );
  });

  test('an inner key of something that is no object', async () => {
    await writeFile({ brokers: { log: { adapter: 'fake-mq', tls: false } } });
    expect((await app.problem({ env: { ANYMQ_BROKERS_LOG_TLS_CA: 'x' } })).text).toBe(
      'Configuration: ANYMQ_BROKERS_LOG_TLS_CA sets brokers.log.tls.ca, but brokers.log.tls in /app/anymq.config.json is ' +
        'false and no object.',
    );
    await writeFile({ brokers: { log: { adapter: 'fake-mq', tls: true } } });
    const configuration = await app.resolve({ env: { ANYMQ_BROKERS_LOG_TLS_CA: 'x' } });
    expect(optionsOf(configuration, 'log')).toMatchObject({ tls: { ca: 'x' } });
  });

  test('one that may mean two brokers, two options, or a broker and an option', async () => {
    await app.install('twin-mq', {
      source: adapterSource(
        'twin-mq',
        'euUrl: z.string().optional(), saslPassword: z.string().optional(), proxyAdapter: z.string().optional(),',
      ),
    });
    await writeFile({
      brokers: { log: { adapter: 'twin-mq' }, 'log-eu': { adapter: 'fake-mq' }, 'log.eu': { adapter: 'fake-mq' } },
      routes: { 'a.*': 'log-eu' },
    });
    const env = {
      ANYMQ_BROKERS_LOG_EU_URL: 'fake://x',
      ANYMQ_BROKERS_LOG_EU_ADAPTER: 'fake-mq',
      ANYMQ_BROKERS_LOG_SASL_PASSWORD: 'hunter2',
      ANYMQ_BROKERS_LOG_PROXY_ADAPTER: 'x',
    };
    expect((await app.problem({ env })).text.split('\n').map((line) => line.trim())).toEqual([
      'Configuration has 4 problems:',
      'ANYMQ_BROKERS_LOG_EU_ADAPTER in the environment may mean broker log-eu or log.eu. Rename one of them.',
      'ANYMQ_BROKERS_LOG_EU_URL in the environment may mean an option of broker log or an option of broker log-eu. Rename one of the brokers.',
      'ANYMQ_BROKERS_LOG_PROXY_ADAPTER in the environment may mean the adapter of broker LOG_PROXY or an option of broker log. Rename one of the brokers.',
      'ANYMQ_BROKERS_LOG_SASL_PASSWORD in the environment may mean brokers.log.sasl.password and brokers.log.saslPassword. Set it in the configuration file.',
    ]);
  });

  test('one about two unused brokers that are called the same in the environment', async () => {
    await writeFile({
      brokers: { log: { adapter: 'fake-mq' }, 'my-log': { adapter: 'x' }, 'my.log': { adapter: 'y' } },
    });
    expect((await app.problem({ env: { ANYMQ_BROKERS_MY_LOG_URL: 'x' } })).text).toBe(
      'Configuration: ANYMQ_BROKERS_MY_LOG_URL in the environment may mean an option of broker my-log or an option of broker my.log. Rename one of the brokers.',
    );
  });

  test('one about a ready adapter', async () => {
    await app.write(
      'anymq.config.mjs',
      "import { adapter } from 'fake-mq'; export default { brokers: { log: adapter.configure({}) } };",
    );
    const env = { ANYMQ_BROKERS_LOG_PORT: '1', ANYMQ_BROKERS_LOG_ADAPTER: 'memory' };
    expect((await app.problem({ env })).text).toBe(
      'Configuration has 2 problems:\n' +
        '  ANYMQ_BROKERS_LOG_ADAPTER: brokers.log in /app/anymq.config.mjs is a ready adapter, which no variable can change.\n' +
        '  ANYMQ_BROKERS_LOG_PORT: broker log is a ready adapter, which no variable can change.',
    );
  });

  test('only variables, and none that makes a broker', async () => {
    expect((await app.problem({ env: { ANYMQ_DEFAULT: 'log' } })).text).toMatch(
      /^Configuration: there is none\. Looked for/,
    );
  });
});
