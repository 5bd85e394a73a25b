import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { resolveConfiguration } from '../../src/config/index.js';
import type { MessagingOptions } from '../../src/contract.js';
import { type Application, application } from './fixture.js';

let app: Application;
beforeEach(async () => {
  app = await application();
  await app.install('fake-mq');
});
afterEach(() => app.remove());

const log = { adapter: 'fake-mq' };

describe('bad input', () => {
  test.each<readonly [string, object, string]>([
    ['no brokers', {}, 'brokers in FILE: found none; expected at least one, like {"local":{"adapter":"memory"}}.'],
    [
      'empty brokers',
      { brokers: {} },
      'brokers in FILE: found none; expected at least one, like {"local":{"adapter":"memory"}}.',
    ],
    ['brokers as a list', { brokers: [log] }, 'brokers in FILE: found a list; expected an object of brokers by name.'],
    [
      'a broker that is no object',
      { brokers: { log: 'fake-mq' } },
      "brokers.log in FILE: found 'fake-mq'; expected { adapter: 'name', ...its options } or a ready adapter, like the result of kafka({...}).",
    ],
    [
      'a broker without adapter',
      { brokers: { log: { url: 'x' } } },
      'brokers.log.adapter in FILE: found nothing; expected the name of an adapter: kafka, rabbitmq, rocketmq, memory or a package.',
    ],
    [
      'a broker with an illegal name',
      { brokers: { my_log: log } },
      "brokers.my_log in FILE: 'my_log' is no name for a broker; expected letters and digits, in words separated by single dots or hyphens.",
    ],
    ['an unknown key', { brokers: { log }, rotues: {} }, "rotues in FILE: this key is unknown. Did you mean 'routes'?"],
    [
      'an unknown key like none',
      { brokers: { log }, x: 1 },
      'x in FILE: this key is unknown. Known keys: brokers, default, routes, namespace, connectTimeoutMs.',
    ],
    ['a null', { brokers: { log }, namespace: null }, 'namespace in FILE: found null; expected string.'],
    [
      'a namespace with a dot',
      { brokers: { log }, namespace: 'a.b' },
      "namespace in FILE: found 'a.b'; expected 1 to 24 letters and digits, in words separated by single hyphens.",
    ],
    [
      'a short time-out',
      { brokers: { log }, connectTimeoutMs: 99 },
      'connectTimeoutMs in FILE: found 99; expected number to be >=100.',
    ],
    [
      'a long time-out',
      { brokers: { log }, connectTimeoutMs: 3_600_001 },
      'connectTimeoutMs in FILE: found 3600001; expected number to be <=3600000.',
    ],
    [
      'a broken time-out',
      { brokers: { log }, connectTimeoutMs: 100.5 },
      'connectTimeoutMs in FILE: found 100.5; expected a whole number.',
    ],
    [
      'no default of two',
      { brokers: { log, office: log } },
      'default in FILE: found nothing; expected one of the brokers: log, office.',
    ],
    [
      'a default that is none',
      { brokers: { log, office: log }, default: 'ofice' },
      "default in FILE: found 'ofice'; expected one of the brokers: log, office. Did you mean 'office'?",
    ],
    ['a default of another kind', { brokers: { log }, default: 5 }, 'default in FILE: found 5; expected string.'],
    [
      'a route to nowhere',
      { brokers: { log }, routes: { 'a.*': 'gone' } },
      "routes['a.*'] in FILE: found 'gone'; expected one of the brokers: log.",
    ],
    [
      'a route of another kind',
      { brokers: { log }, routes: { 'a.*': 1 } },
      "routes['a.*'] in FILE: found 1; expected string.",
    ],
    [
      'routes as a list',
      { brokers: { log }, routes: [] },
      'routes in FILE: found an empty list; expected an object of topic patterns and broker names.',
    ],
    [
      'an illegal pattern',
      { brokers: { log }, routes: { 'a.b*': 'log' } },
      "routes['a.b*'] in FILE: 'b*' is no word of a pattern: use letters, digits and hyphens, '*' for one word or '#' for any number, like 'orders.*'.",
    ],
    [
      'routes that contradict each other',
      { brokers: { log, office: log }, default: 'log', routes: { 'orders.*': 'log', '*.paid': 'office' } },
      "routes in FILE: '*.paid' and 'orders.*' match topic 'orders.paid' equally well but name different brokers, office and log. Add a route with more words spelt out that decides it.",
    ],
    [
      'an unknown option',
      { brokers: { log: { ...log, prot: 1 } } },
      "brokers.log.prot in FILE: this key is unknown. Did you mean 'port'?",
    ],
    [
      'an unknown nested option',
      { brokers: { log: { ...log, tls: { rejectUnauthorised: true } } } },
      "brokers.log.tls.rejectUnauthorised in FILE: this key is unknown. Did you mean 'rejectUnauthorized'?",
    ],
    [
      'an option of another type',
      { brokers: { log: { ...log, port: '9' } } },
      "brokers.log.port in FILE: found '9'; expected number.",
    ],
    [
      'an item of another type',
      { brokers: { log: { ...log, servers: ['a', 5] } } },
      'brokers.log.servers[1] in FILE: found 5; expected string.',
    ],
    [
      'an illegal URL',
      { brokers: { log: { ...log, url: 'nope' } } },
      "brokers.log.url in FILE: found 'nope'; expected a valid URL.",
    ],
    [
      'none of a union',
      { brokers: { log: { ...log, tls: 'yes' } } },
      "brokers.log.tls in FILE: found 'yes'; expected boolean or object.",
    ],
    [
      'a control character',
      { brokers: { log: { ...log, mode: 'a\n\u0000b' } } },
      `brokers.log.mode in FILE: found 'a\\n\\u0000b'; expected one of "fast"|"safe".`,
    ],
    [
      'words in names of topics and brokers that look secret',
      {
        brokers: { token: log, auth: log },
        default: 'token',
        routes: { 'password.reset': 'auth2', 'token.issued': 'token' },
      },
      "routes['password.reset'] in FILE: found 'auth2'; expected one of the brokers: token, auth. Did you mean 'auth'?",
    ],
    [
      'a long value',
      { brokers: { log: { ...log, mode: 'x'.repeat(100) } } },
      `brokers.log.mode in FILE: found '${'x'.repeat(60)}...'; expected one of "fast"|"safe".`,
    ],
  ])('%s', async (_, content, problem) => {
    await app.write('anymq.config.json', JSON.stringify(content));
    expect((await app.problem()).text).toBe(`Configuration: ${problem.replace('FILE', '/app/anymq.config.json')}`);
  });

  test('the options of createMessaging', async () => {
    const options = { brokers: {}, namspace: 'x', configFile: 'x.json' } as MessagingOptions;
    expect((await app.problem(options)).text).toBe(
      'Configuration has 2 problems:\n' +
        "  namspace given to createMessaging: this option is unknown. Did you mean 'namespace'?\n" +
        '  configFile given to createMessaging: brokers are given too, so no file is read. Give one of them.',
    );
    expect((await app.problem({ cwd: 5, configFile: null } as never)).text).toBe(
      'Configuration has 2 problems:\n' +
        '  cwd given to createMessaging: found 5; expected a path.\n' +
        '  configFile given to createMessaging: found null; expected a path.',
    );
    await expect(resolveConfiguration(null as never)).rejects.toThrow(
      'Configuration: the argument of createMessaging: found null; expected an object of options, or nothing.',
    );
    expect((await app.problem({ brokers: {} })).text).toBe(
      "Configuration: brokers given to createMessaging: found none; expected at least one, like { local: { adapter: 'memory' } }.",
    );
  });

  test('everything at once is told at once, each with where it stands', async () => {
    await app.write(
      'anymq.config.json',
      JSON.stringify({
        brokers: { log: { ...log, port: 0, extra: 1 }, bad: {}, office: { adapter: 'gone-mq' } },
        default: 'log',
        routes: { 'a.*': 'office', 'b.*': 'lgo' },
        namespace: '-',
      }),
    );
    const env = { ANYMQ_CONNECT_TIMEOUT_MS: '1', ANYMQ_BROKERS_LOG_URL: 'x', ANYMQ_BROKERS_BAD_URL: 'x' };
    const error = await app.problem({ env });
    expect(error.text).toBe(
      [
        'Configuration has 8 problems:',
        'brokers.bad.adapter in FILE: found nothing; expected the name of an adapter: kafka, rabbitmq, rocketmq, memory or a package.',
        "namespace in FILE: found '-'; expected 1 to 24 letters and digits, in words separated by single hyphens.",
        'connectTimeoutMs from ANYMQ_CONNECT_TIMEOUT_MS: found 1; expected number to be >=100.',
        "routes['b.*'] in FILE: found 'lgo'; expected one of the brokers: log, bad, office. Did you mean 'log'?",
        "brokers.office.adapter in FILE: found 'gone-mq'; package gone-mq is not installed for /app. To install it: npm install gone-mq.",
        "brokers.log.url from ANYMQ_BROKERS_LOG_URL: found 'x'; expected a valid URL.",
        'brokers.log.port in FILE: found 0; expected number to be >=1.',
        'brokers.log.extra in FILE: this key is unknown. Known keys: url, port, servers, lazyStart, mode, tls, sasl, weights, password.',
      ]
        .join('\n  ')
        .replaceAll('FILE', '/app/anymq.config.json'),
    );
    expect(error).toMatchObject({ code: 'INVALID_CONFIG', retryable: false, indeterminate: false });
  });
});

describe('secrets never stand in an error', () => {
  const SECRET = 'hunter-2-S3cret';
  const secretly: Record<string, object> = {
    'a password that is refused': { password: SECRET },
    'userinfo in a URL': { url: `fake//user:${SECRET}@host` },
    'a password with @ and / in a URL': { url: `fake://user:p@/${SECRET}@ho st`, port: 'x' },
    'a token in a URL': { mode: `http://host/?token=${SECRET}&a=1` },
    'userinfo without a scheme': { mode: `user:${SECRET}@host` },
    'a nested one': { sasl: { mechanism: 'plain', username: 5, password: SECRET } },
    'one of a union without a fit': { sasl: { mechanism: SECRET } },
    'a short token': { sasl: { mechanism: 'oauth', token: SECRET } },
    'a password quoted by something else': { password: SECRET, mode: SECRET },
    'a number': { password: 20202020, sasl: { mechanism: 'plain', username: 'u', password: 20202020 } },
    'a list': { tls: { passphrase: [SECRET] }, weights: { secretKey: SECRET } },
    'an unknown key': { pasword: SECRET, keyStore: { x: SECRET } },
  };

  test.each(Object.entries(secretly))('%s in a file', async (_, options) => {
    await app.write('anymq.config.json', JSON.stringify({ brokers: { log: { ...log, ...options } } }));
    expectHidden(await app.problem());
  });

  test.each(Object.entries(secretly))('%s in code', async (_, options) => {
    expectHidden(await app.problem({ brokers: { log: { ...log, ...options } } }));
  });

  test.each([
    { ANYMQ_BROKERS_LOG_PASSWORD: SECRET },
    { ANYMQ_BROKERS_LOG_SASL: `{"mechanism":"plain","password":"${SECRET}"}` },
    { ANYMQ_BROKERS_LOG_SASL_TOKEN: SECRET },
    { ANYMQ_BROKERS_LOG_URL: `fake//user:${SECRET}@host` },
    { ANYMQ_BROKERS_LOG_PASWORD: SECRET },
    { ANYMQ_PASSWORD: SECRET },
  ])('%j', async (env) => {
    await app.write('anymq.config.json', JSON.stringify({ brokers: { log } }));
    expectHidden(await app.problem({ env }));
  });

  function expectHidden(error: Error): void {
    expect(inspect(error, { depth: 10 })).not.toMatch(/hunter|S3cret|2020202/);
  }
});
