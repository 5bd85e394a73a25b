import { MessagingError } from '@anymq/core';
import { describe, expect, test } from '@jest/globals';
import { Run } from './support/run.js';

describe('topics', () => {
  const listings = [
    { name: 'orders.paid', broker: 'office' },
    { name: 'user.clicks', broker: 'log' },
  ];

  test('lists topics with their brokers', async () => {
    const run = new Run();
    run.messaging.listings = listings;
    expect([await run.anymq('topics'), run.stdout]).toEqual([
      0,
      'TOPIC        BROKER\norders.paid  office\nuser.clicks  log\n',
    ]);
  });

  test('of one broker, as JSON lines', async () => {
    const run = new Run();
    run.messaging.listings = listings;
    expect(await run.anymq('topics', '--broker', 'office', '--json')).toBe(0);
    expect(run.lines).toEqual(listings);
    expect(run.messaging.opened).toEqual({ default: 'office', routes: {} });
  });

  test('none is said aside', async () => {
    const run = new Run();
    expect([await run.anymq('topics'), run.stdout]).toEqual([0, '']);
    expect(run.stderr).toContain('no topics');
  });
});

describe('groups', () => {
  test('says what the broker tells', async () => {
    const run = new Run();
    run.messaging.standings = [{ group: 'shipping', members: 2, lag: 1200, dead: 3 }];
    expect(await run.anymq('groups', '--topic', 'orders.paid')).toBe(0);
    expect(run.stdout).toBe(
      'GROUP     MEMBERS   LAG  IN FLIGHT  RETRYING  DEAD\nshipping        2  1200          -         -     3\n',
    );
    const json = new Run();
    json.messaging.standings = run.messaging.standings;
    await json.anymq('groups', '--topic', 'orders.paid', '--json');
    expect(json.lines).toEqual(run.messaging.standings);
  });

  test('of no topic are a failure', async () => {
    const run = new Run();
    run.messaging.failures.groups = new MessagingError('NOT_FOUND', "There is no topic 'x'.");
    expect([await run.anymq('groups', '--topic', 'x'), run.stderr]).toEqual([
      1,
      "There is no topic 'x': see anymq topics for the names.\n",
    ]);
  });
});

test.each([['publish', '{}'], ['tail']])(
  '%s ends when its broker does not answer, and does not wait once more',
  async (...words) => {
    const run = new Run();
    run.messaging.failures.groups = new MessagingError('UNAVAILABLE', 'It does not answer.');
    expect([await run.anymq(...words, '--topic', 'orders.paid'), run.stderr]).toEqual([1, 'It does not answer.\n']);
    expect([run.messaging.sent, run.messaging.subscribed]).toEqual([[], undefined]);
  },
);

describe('publish', () => {
  const publish = (run: Run, ...args: string[]) => run.anymq('publish', '--topic', 'orders.paid', ...args);

  test('sends the body as it is, with all that was said about it', async () => {
    const run = new Run();
    const said = ['--key', 'k', '--header', 'a=1=2', '--header', 'b=', '--id', 'm-9', '--type', 'paid'];
    expect(await publish(run, ...said, '--delay-ms', '500', '{ "n": 1.0 }')).toBe(0);
    const [sent] = run.messaging.sent;
    expect(sent?.topic.definition.spec).toMatchObject({
      keyed: true,
      history: 'full',
      contentType: 'application/json',
    });
    expect(sent?.body).toBe('{ "n": 1.0 }');
    expect(sent?.options).toMatchObject({
      key: 'k',
      headers: { a: '1=2', b: '' },
      id: 'm-9',
      type: 'paid',
      delayMs: 500,
    });
    expect(run.stdout).toBe('Published m-9 to orders.paid at 0:7.\n');
  });

  test('without a key the topic has none; standard input is the body', async () => {
    const run = new Run({ stdin: 'grüße' });
    expect(await publish(run, '--content-type', 'text/plain', '--history', 'none', '--json')).toBe(0);
    expect(run.messaging.sent[0]?.body).toBe('grüße');
    expect(run.messaging.sent[0]?.topic.definition.spec).toMatchObject({
      keyed: false,
      history: 'none',
      contentType: 'text/plain',
    });
    expect(run.lines).toEqual([
      { id: expect.stringMatching(/^[0-9a-f-]{36}$/), topic: 'orders.paid', position: '0:7', time: expect.any(String) },
    ]);
  });

  test.each([
    [['{'], 'say with --content-type what it is'],
    [['{}', '--file', 'x'], 'not both'],
    [['--file', '/nowhere'], 'There is no file /nowhere.'],
    [['{}', '--header', 'x'], 'It must be name=value'],
    [['{}', '--delay-ms', '-1'], 'It must be a whole number'],
    [['{}', '--history', 'some'], 'Allowed choices are full, none'],
  ])('%j is wrong usage, and nothing is sent', async (args, sentence) => {
    const run = new Run();
    expect(await publish(run, ...args)).toBe(2);
    expect(run.stderr).toContain(sentence);
    expect(run.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(run.messaging.sent).toEqual([]);
  });

  test('asks for a body on a terminal', async () => {
    const run = new Run({ terminal: true });
    expect([await publish(run), run.messaging.opened]).toEqual([2, undefined]);
  });

  test('a misspelt topic is not created, unless asked for', async () => {
    const run = new Run();
    run.messaging.failures.groups = new MessagingError('NOT_FOUND', 'none');
    expect([await publish(run, '{}'), run.messaging.sent]).toEqual([1, []]);
    expect(run.stderr).toContain("There is no topic 'orders.paid'");
    expect(await publish(run, '{}', '--create')).toBe(0);
  });

  test('what cannot be listed may still be sent to', async () => {
    const run = new Run();
    run.messaging.failures.groups = new MessagingError('UNAUTHORISED', 'no rights');
    expect(await publish(run, '{}')).toBe(0);
  });

  test('a conflict says how to define the topic', async () => {
    const run = new Run();
    run.messaging.failures.send = new MessagingError('CONFLICT', "Topic 'orders.paid' is keyed on the broker.");
    expect(await publish(run, '{}')).toBe(2);
    expect(run.stderr).toMatch(/^Topic 'orders.paid' is keyed on the broker. .*needs --key.*\n$/);
  });

  test('an unknown outcome names the id to repeat it with', async () => {
    const run = new Run();
    run.messaging.failures.send = new MessagingError('INDETERMINATE', 'It may be stored.');
    expect(await publish(run, '{}')).toBe(1);
    expect(run.stderr).toMatch(/^It may be stored. Repeat it with --id [0-9a-f-]{36}.\n$/);
  });
});

describe('tail', () => {
  const tail = (run: Run, ...args: string[]) => run.anymq('tail', '--topic', 'orders.paid', ...args);

  test('shows what comes, in order, until --count', async () => {
    const run = new Run();
    run.messaging.started = async () => {
      await run.messaging.deliver('{"a":1}', { headers: { tenant: 'acme' }, type: 'paid' });
      await run.messaging.deliver('x\u001b', { id: 'm-2', key: undefined });
      await run.messaging.deliver('too many');
    };
    expect(await tail(run, '--keyed', '--count', '2')).toBe(0);
    expect(run.stdout).toBe(
      '--- 1970-01-01T00:00:00.000Z  m-1  key=o-1  type=paid  at 0:1\ntenant: acme\n{\n  "a": 1\n}\n' +
        '--- 1970-01-01T00:00:00.000Z  m-2  at 0:1\nx\\u001b\n',
    );
    expect(run.messaging.subscribed).toMatchObject({
      topic: { definition: { spec: { keyed: true, history: 'full' } } },
      options: { concurrency: 1 },
    });
    expect([run.messaging.closed, run.messaging.listeners]).toEqual([1, 0]);
  });

  test('prints JSON lines', async () => {
    const run = new Run();
    run.messaging.started = () => void run.messaging.deliver('{}');
    await tail(run, '--count', '1', '--json');
    expect(run.lines).toEqual([
      expect.objectContaining({ id: 'm-1', key: 'o-1', body: '{}', bodyEncoding: 'utf-8', position: '0:1' }),
    ]);
  });

  test('Ctrl-C ends it', async () => {
    const run = new Run();
    run.messaging.started = () => run.interrupt();
    expect([await tail(run), run.messaging.closed, run.stderr]).toEqual([130, 1, 'Interrupted.\n']);
  });

  test('ends when the broker takes the subscription away', async () => {
    const run = new Run();
    const error = new MessagingError('NOT_FOUND', 'The topic was deleted.');
    run.messaging.started = () =>
      run.messaging.emit({ type: 'subscription-failed', topic: 'orders.paid', group: 'x', error });
    expect([await tail(run), run.stderr]).toEqual([1, 'The topic was deleted.\n']);
  });

  test('a conflict says how to define the topic', async () => {
    const run = new Run();
    run.messaging.failures.start = new MessagingError('CONFLICT', 'It is keyed there.');
    expect(await tail(run)).toBe(2);
    expect(run.stderr).toMatch(/^It is keyed there. .*--keyed.*\n$/);
  });

  test('from the earliest: what the topic keeps, nobody subscribes', async () => {
    const run = new Run();
    const message = { topic: 'orders.paid', type: 'orders.paid', key: 'o-1', headers: {}, time: 0, position: '0:1' };
    run.messaging.kept = ['{}', '{}', '{}'].map((body, n) => ({ ...message, id: `m-${n}`, value: Buffer.from(body) }));
    expect(await tail(run, '--from', 'earliest', '--count', '2', '--json')).toBe(0);
    expect(run.lines).toEqual([expect.objectContaining({ id: 'm-0' }), expect.objectContaining({ id: 'm-1' })]);
    expect(run.messaging.subscribed).toBeUndefined();
  });

  test('what cannot be read from the earliest is an error in one sentence', async () => {
    const run = new Run();
    run.messaging.failures.browse = new MessagingError('UNSUPPORTED', 'Nothing is kept to be read.');
    expect([await tail(run, '--from', 'earliest'), run.stderr]).toEqual([2, 'Nothing is kept to be read.\n']);
  });

  test('a misspelt topic is not created', async () => {
    const run = new Run();
    run.messaging.failures.groups = new MessagingError('NOT_FOUND', 'none');
    expect([await tail(run), run.messaging.subscribed]).toEqual([1, undefined]);
  });
});
