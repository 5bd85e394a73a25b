import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessagingError } from '@anymq/core';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { DeadLetter } from '../src/messaging-port.js';
import { letter } from './support/fake-letters.js';
import { Run, type World } from './support/run.js';

const WHOSE = ['--topic', 'orders.paid', '--group', 'shipping'];
const folder = mkdtempSync(join(tmpdir(), 'anymq-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const LETTERS = [
  letter({ id: 'a' }),
  letter({ id: 'b', cause: { ...letter().cause, code: 'INVALID_VALUE' }, cycles: 10 }),
  letter({ id: 'c', headers: { tenant: 'acme' } }),
];

function runOn(letters: readonly DeadLetter[] = LETTERS, world: World = {}): Run {
  const run = new Run(world);
  run.messaging.letters.letters = [...letters];
  return run;
}

const dl = (run: Run, command: string, ...args: string[]): Promise<number> =>
  run.anymq('dead-letters', command, ...WHOSE, ...args);
const ids = (run: Run): readonly string[] => run.messaging.letters.letters.map(({ id }) => id);

describe('list', () => {
  test('prints a table and closes what it opened', async () => {
    const run = runOn();
    expect(await dl(run, 'list')).toBe(0);
    const lines = run.stdout.split('\n');
    expect(lines[0]).toMatch(/^ID +GIVEN UP +CODE +ERROR +MESSAGE +KEY +ATTEMPTS +CYCLES$/);
    expect(lines[1]).toMatch(/^a +2026-01-02T03:06:00.000Z +TIMEOUT +MessagingError +no answer +o-1 +5 +0$/);
    expect([lines.length, run.stderr, run.messaging.closed]).toEqual([5, '', 1]);
  });

  test.each([
    [['--newest'], ['c', 'b', 'a']],
    [
      ['--limit', '2'],
      ['a', 'b'],
    ],
    [['--where', 'code=TIMEOUT', '--where', 'header.tenant=acme'], ['c']],
    [
      ['--id', 'a', '--id', 'c'],
      ['a', 'c'],
    ],
  ])('%j selects', async (args, wanted) => {
    const run = runOn();
    expect(await dl(run, 'list', '--json', ...args)).toBe(0);
    expect(run.lines.map((line) => (line as DeadLetter).id)).toEqual(wanted);
  });

  test('JSON lines leave the body out', async () => {
    const run = runOn([letter()]);
    await dl(run, 'list', '--json');
    expect(run.lines[0]).toMatchObject({ id: 'l-1', bodyBytes: 17 });
    expect(run.lines[0]).not.toHaveProperty('body');
  });

  test('nothing is no failure, and said aside', async () => {
    const none = runOn([]);
    expect([await dl(none, 'list'), none.stdout, none.stderr]).toEqual([
      0,
      '',
      "Group 'shipping' has no dead letters on topic 'orders.paid'.\n",
    ]);
    const unselected = runOn();
    await dl(unselected, 'list', '--where', 'code=CLOSED');
    expect(unselected.stderr).toBe("Group 'shipping' has no dead letter that was selected on topic 'orders.paid'.\n");
  });

  test.each(['list', 'stats', 'export', 'redrive'])('%s: a misspelt topic is a failure', async (command) => {
    const run = runOn([]);
    run.messaging.failures.groups = new MessagingError('NOT_FOUND', 'There is none.');
    expect([await dl(run, command), run.stdout, run.stderr]).toEqual([
      1,
      '',
      "There is no topic 'orders.paid': see anymq topics for the names.\n",
    ]);
  });

  test('a misspelt group is told with those there are', async () => {
    const run = runOn([]);
    run.messaging.standings = [{ group: 'billing' }, { group: 'shiping' }];
    expect(await dl(run, 'list')).toBe(0);
    expect(run.stderr).toMatch(/ on topic 'orders.paid', and the topic has no such group: it has billing, shiping.\n$/);
  });

  test('groups that cannot be listed hide nothing', async () => {
    const run = runOn([]);
    run.messaging.failures.groups = new MessagingError('UNAUTHORISED', 'It refuses.');
    expect([await dl(run, 'list'), run.stderr]).toEqual([0, expect.stringContaining('has no dead letters on')]);
  });

  test('long lists come in parts', async () => {
    const run = runOn(Array.from({ length: 1001 }, (_, i) => letter({ id: `l-${i}` })));
    expect(await dl(run, 'list')).toBe(0);
    expect(run.stdout.match(/^l-\d+ /gm)).toHaveLength(1001);
  });
});

describe('show', () => {
  test('prints one letter', async () => {
    const run = runOn();
    expect(await dl(run, 'show', 'c')).toBe(0);
    expect(run.stdout).toContain('tenant  acme');
    const json = runOn();
    await dl(json, 'show', 'c', '--json');
    expect(json.lines).toEqual([expect.objectContaining({ id: 'c', body: '{"orderId":"o-1"}' })]);
  });

  test('exits with 3 when there is none', async () => {
    const run = runOn();
    expect([await dl(run, 'show', 'x'), run.stdout]).toEqual([3, '']);
    expect(run.stderr).toBe("Group 'shipping' has no dead letter with id x on topic 'orders.paid'.\n");
  });
});

describe('stats', () => {
  test('counts by code unless told otherwise', async () => {
    const run = runOn();
    expect(await dl(run, 'stats')).toBe(0);
    expect(run.stdout).toBe('CODE           LETTERS\nTIMEOUT              2\nINVALID_VALUE        1\n');
    const json = runOn();
    await dl(json, 'stats', '--by', 'error', '--json');
    expect(json.lines).toEqual([{ error: 'MessagingError', letters: 3 }]);
  });

  test('counts what is selected', async () => {
    const run = runOn([...LETTERS, letter({ id: 'd', cause: { ...letter().cause, code: undefined } })]);
    await dl(run, 'stats', '--where', 'cycles!=10', '--json');
    expect(run.lines).toEqual([
      { code: 'TIMEOUT', letters: 2 },
      { code: '', letters: 1 },
    ]);
  });
});

describe('redrive', () => {
  test('sends back what is selected', async () => {
    const run = runOn();
    expect(await dl(run, 'redrive', '--where', 'code=TIMEOUT', '--rate', '0.5')).toBe(0);
    expect(run.stdout).toBe("Redriven 2 of 2 dead letters to group 'shipping'.\n");
    expect(ids(run)).toEqual(['b']);
    expect(run.messaging.letters.asked.redrive).toMatchObject({ ratePerSecond: 0.5 });
  });

  test('says what stays, and does nothing on --dry-run', async () => {
    const run = runOn();
    expect(await dl(run, 'redrive', '--dry-run', '--to-group', 'test', '--max-cycles', '5')).toBe(0);
    expect(run.stdout).toBe(
      "Would redrive 2 of 3 dead letters to group 'test'. Left where they are, redriven 5 times or more already: 1 (--max-cycles).\n",
    );
    expect(ids(run)).toEqual(['a', 'b', 'c']);
    expect(run.messaging.letters.asked.redrive).toMatchObject({ to: { group: 'test' }, maxCycles: 5 });
  });

  test('prints its report as JSON', async () => {
    const run = runOn();
    await dl(run, 'redrive', '--json');
    expect(run.lines).toEqual([{ selected: 3, redriven: 2, exhausted: 1 }]);
  });

  test('exits with 3 when nothing is selected, and says which ids were not there', async () => {
    const none = runOn();
    expect([await dl(none, 'redrive', '--id', 'x'), none.stdout]).toEqual([3, '']);
    expect(none.stderr).toContain('has no dead letter with id x');
    const some = runOn();
    expect(await dl(some, 'redrive', '--id', 'x', '--id', 'a')).toBe(0);
    expect(some.stderr).toBe('Of the ids 1 is not there.\n');
  });

  test('Ctrl-C stops between letters, says how far it came and exits with 130', async () => {
    const run = runOn();
    run.messaging.letters.afterEach = () => run.interrupt();
    expect([await dl(run, 'redrive'), run.stdout]).toEqual([130, '']);
    expect(run.stderr).toBe('Interrupted: 1 of 2 letters were redriven, the rest stays.\n');
    expect([ids(run), run.messaging.closed]).toEqual([['b', 'c'], 1]);
  });

  test('shows progress: a line that changes on a terminal, a line now and then elsewhere', async () => {
    const many = Array.from({ length: 4 }, (_, i) => letter({ id: String(i) }));
    let time = 0;
    const slow = { now: () => (time += 3_000) };
    const terminal = runOn(many, { ...slow, terminal: true });
    await dl(terminal, 'redrive');
    expect(terminal.stderr).toBe(`${[1, 2, 3, 4].map((n) => `\r\u001b[Kredriven ${n} of 4`).join('')}\r\u001b[K`);
    const log = runOn(many, slow);
    await dl(log, 'redrive');
    expect(log.stderr).toBe('redriven 2 of 4\nredriven 4 of 4\n');
  });
});

describe('purge', () => {
  test('asks on a terminal, and removes what it asked about', async () => {
    const run = runOn(LETTERS, { terminal: true, answer: 'y' });
    expect(await dl(run, 'purge', '--where', 'code=TIMEOUT')).toBe(0);
    expect(run.questions).toEqual([
      "Remove 2 dead letters of group 'shipping' on topic 'orders.paid' for good? [y/N] ",
    ]);
    expect(run.stdout).toBe('Purged 2 dead letters.\n');
    expect([ids(run), run.messaging.letters.asked.purged]).toEqual([['b'], [{ ids: ['a', 'c'] }]]);
  });

  test.each(['', 'n', 'yep'])('%j is no yes', async (answer) => {
    const run = runOn(LETTERS, { terminal: true, answer });
    expect([await dl(run, 'purge'), run.stdout, run.stderr]).toEqual([1, '', 'Nothing was removed.\n']);
    expect(ids(run)).toHaveLength(3);
  });

  test('refuses without a terminal and without --yes, before anything is opened', async () => {
    const run = runOn();
    expect([await dl(run, 'purge'), run.messaging.opened]).toEqual([2, undefined]);
    expect(run.stderr).toContain('give --yes');
    expect(ids(run)).toHaveLength(3);
  });

  test('--yes does not ask', async () => {
    const run = runOn();
    expect(await dl(run, 'purge', '--yes', '--id', 'a', '--id', 'x', '--json')).toBe(0);
    expect([run.lines, ids(run), run.questions]).toEqual([[{ purged: 1 }], ['b', 'c'], []]);
    expect(run.stderr).toBe('Of the ids 1 is not there.\n');
  });

  test('exits with 3 when nothing matches, without a question', async () => {
    const run = runOn([], { terminal: true });
    expect([await dl(run, 'purge'), run.questions]).toEqual([3, []]);
    expect(await dl(runOn(), 'purge', '--yes', '--where', 'code=CLOSED')).toBe(3);
  });
});

describe('export and import', () => {
  test('give each other the same lines', async () => {
    const run = runOn();
    expect(await dl(run, 'export', '--where', 'code=TIMEOUT')).toBe(0);
    expect([run.lines.length, run.stderr]).toEqual([2, 'Exported 2 dead letters.\n']);
    const back = runOn([], { stdin: `${run.stdout.replaceAll('\n', '\r\n')}\n` });
    expect([await dl(back, 'import'), back.stdout]).toEqual([0, 'Imported 2 dead letters.\n']);
    expect(back.messaging.letters.asked.imported).toEqual(run.stdout.trimEnd().split('\n'));
  });

  test('a file appears when it is complete', async () => {
    const file = join(folder, 'letters.jsonl');
    const run = runOn();
    expect([await dl(run, 'export', '--output', file), run.stdout]).toEqual([0, '']);
    expect(run.stderr).toBe(`Exported 3 dead letters to ${file}.\n`);
    expect([readFileSync(file, 'utf8').split('\n').length, existsSync(`${file}.partial`)]).toEqual([4, false]);
    const back = runOn([]);
    expect(await dl(back, 'import', file, '--json')).toBe(0);
    expect(back.lines).toEqual([{ imported: 3 }]);
  });

  test('an interrupted export leaves no file', async () => {
    const file = join(folder, 'half.jsonl');
    const run = runOn();
    run.messaging.letters.export = async function* () {
      yield '{}';
      run.interrupt();
      await new Promise(() => {});
    };
    expect(await dl(run, 'export', '--output', file)).toBe(130);
    expect([existsSync(file), existsSync(`${file}.partial`)]).toEqual([false, false]);
  });

  test('files that cannot be right are told before anything is opened', async () => {
    const file = join(folder, 'there.jsonl');
    writeFileSync(file, 'precious');
    const twice = runOn();
    expect([await dl(twice, 'export', '--output', file), twice.messaging.opened]).toEqual([2, undefined]);
    expect([readFileSync(file, 'utf8'), twice.stderr]).toEqual(['precious', expect.stringContaining('exists already')]);
    const missing = runOn();
    expect([await dl(missing, 'import', '/nowhere'), missing.stderr]).toEqual([2, 'There is no file /nowhere.\n']);
    const silent = runOn([], { terminal: true });
    expect([await dl(silent, 'import'), silent.stderr]).toEqual([2, 'Name the file to import, or pipe it in.\n']);
  });

  test('a folder that is not there is a failure in one sentence', async () => {
    const run = runOn();
    expect(await dl(run, 'export', '--output', '/nowhere/x.jsonl')).toBe(1);
    expect(run.stderr).toMatch(/^Cannot write \/nowhere\/x.jsonl: ENOENT.*\n$/);
  });
});
