import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createMessaging, MessagingError } from '@anymq/core';
import { afterAll, describe, expect, test } from '@jest/globals';
import { Archive } from '../src/archive.js';
import { openCsv } from '../src/csv-source.js';
import { aborted } from '../src/errors.js';
import type { BehaviourEvent } from '../src/event.js';
import { Funnel } from '../src/funnel.js';
import { generatedSource } from '../src/generator.js';
import { Pipeline, type PipelineOptions, type Result } from '../src/pipeline.js';
import { toJson } from '../src/report.js';
import type { Source } from '../src/source.js';

const REAL =
  process.env.ANYMQ_TEST_INPUT ??
  fileURLToPath(new URL('../../../../../shared/data/user-behaviour.csv', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'anymq-demo-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
const newFile = () => join(folder, `archive-${files++}.jsonl`);

async function run(source: Source, file: string, options: Partial<PipelineOptions> = {}): Promise<Result> {
  await using archive = await Archive.open(file);
  await using messaging = await createMessaging({ brokers: { main: { adapter: 'memory' } } });
  const quiet = { onInvalid() {}, onProgress() {}, signal: new AbortController().signal };
  return await new Pipeline(messaging, { source, archive, ...quiet, ...options }).run();
}

/** The events without any messaging: what a run must come to. */
async function eventsOf(source: Source): Promise<BehaviourEvent[]> {
  const events: BehaviourEvent[] = [];
  for await (const item of source) if ('event' in item) events.push(item.event);
  return events;
}

const rowsOf = (events: readonly BehaviourEvent[]) => {
  const funnel = new Funnel();
  for (const event of events) funnel.add(event);
  return funnel.rows();
};

const archived = (file: string): BehaviourEvent[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

const sorted = (events: readonly BehaviourEvent[]) => events.map((event) => JSON.stringify(event)).sort();

const bySession = (events: readonly BehaviourEvent[]) =>
  Object.fromEntries(
    [...new Set(events.map(({ user_session }) => user_session))]
      .sort()
      .map((session) => [session, events.filter(({ user_session }) => user_session === session)]),
  );

describe('pipeline', () => {
  test('both groups handle everything once, in order; the funnel is that of the plain events', async () => {
    const events = await eventsOf(generatedSource(3_000, 3));
    const file = newFile();
    const result = await run(generatedSource(3_000, 3), file);
    expect(result).toMatchObject({
      read: 3_000,
      invalid: 0,
      sent: 3_000,
      groups: {
        funnel: { handled: 3_000, duplicates: 0, orderViolations: 0 },
        archive: { handled: 3_000, duplicates: 0 },
      },
    });
    expect(result.funnel).toEqual(rowsOf(events));
    expect(bySession(archived(file))).toEqual(bySession(events));
    expect(result.groups.archive.batches).toBeGreaterThanOrEqual(15);
    expect(result.groups.archive.batches).toBeLessThan(300);
  });

  const withRealInput = existsSync(REAL) ? test : test.skip;
  if (!existsSync(REAL)) console.warn(`SKIPPED: the real input ${REAL} is not on this machine (set ANYMQ_TEST_INPUT).`);
  withRealInput('the real events', async () => {
    const events = await eventsOf(await openCsv(REAL));
    const file = newFile();
    const result = await run(await openCsv(REAL), file);
    expect(result).toMatchObject({ read: 1_000, invalid: 0, sent: 1_000 });
    expect(result.groups).toMatchObject({
      funnel: { handled: 1_000, duplicates: 0, orderViolations: 0 },
      archive: { handled: 1_000, duplicates: 0 },
    });
    expect(result.funnel).toEqual(rowsOf(events));
    expect(sorted(archived(file))).toEqual(sorted(events));
  });

  test('the JSON has what is specified, in this order, and nothing else', async () => {
    const { engine, read, invalid, sent, groups, funnel, ...more } = JSON.parse(
      toJson('memory', await run(generatedSource(200, 1), newFile())),
    );
    expect(more).toEqual({});
    expect({ engine, read, invalid, sent }).toEqual({ engine: 'memory', read: 200, invalid: 0, sent: 200 });
    expect(Object.keys(groups)).toEqual(['funnel', 'archive']);
    expect(Object.keys(groups.funnel)).toEqual(['handled', 'duplicates', 'orderViolations']);
    expect(Object.keys(groups.archive)).toEqual(['handled', 'duplicates', 'batches']);
    const columns = ['category', 'views', 'carts', 'purchases', 'conversion', 'revenue'];
    expect(funnel.map(Object.keys)).toEqual(funnel.map(() => columns));
  });

  test('lines that are no events are told and counted', async () => {
    async function* source(): Source {
      yield { line: 2, problem: 'is nonsense' };
      yield* generatedSource(10, 1);
    }
    const told: unknown[] = [];
    const result = await run(source(), newFile(), { onInvalid: (...problem) => told.push(problem) });
    expect(result).toMatchObject({ read: 11, invalid: 1, sent: 10 });
    expect(told).toEqual([[2, 'is nonsense']]);
  });

  test('nothing to read is a result like any other', async () => {
    expect(await run(generatedSource(0, 1), newFile())).toMatchObject({ read: 0, sent: 0, funnel: [] });
  });

  test('stopping ends an input that is silent, and handles what was sent', async () => {
    const abort = new AbortController();
    async function* source(): Source {
      yield* generatedSource(50, 1);
      abort.abort();
      await new Promise(() => {});
    }
    const result = await run(source(), newFile(), { signal: abort.signal });
    expect(result).toMatchObject({ read: 50, sent: 50, groups: { funnel: { handled: 50 }, archive: { handled: 50 } } });
  });

  test('stopped before it begins it sends nothing', async () => {
    expect(await run(generatedSource(50, 1), newFile(), { signal: AbortSignal.abort() })).toMatchObject({ sent: 0 });
  });

  test('an input that breaks fails the run', async () => {
    async function* source(): Source {
      yield* generatedSource(10, 1);
      throw new Error('the disk is gone');
    }
    await expect(run(source(), newFile())).rejects.toThrow('the disk is gone');
  });

  test('an archive that cannot be written fails the run at once', async () => {
    await expect(run(generatedSource(500, 1), '/dev/full')).rejects.toThrow(/Cannot write the archive .*ENOSPC/);
  });

  test('a send that fails, fails the run with its own error', async () => {
    async function* source(): Source {
      for await (const item of generatedSource(10, 1)) {
        yield item.line === 5 && 'event' in item ? { ...item, event: { ...item.event, user_session: '' } } : item;
      }
    }
    const failure = run(source(), newFile());
    await expect(failure).rejects.toBeInstanceOf(MessagingError);
    await expect(failure).rejects.toMatchObject({ code: 'INVALID_VALUE' });
  });

  test('a run in which nothing moves says so', async () => {
    const stuck = new AbortController();
    const append = () => aborted(stuck.signal).catch(() => {});
    await using messaging = await createMessaging({ brokers: { main: { adapter: 'memory' } } });
    const run = new Pipeline(messaging, {
      source: generatedSource(2_500, 1),
      archive: { append } as unknown as Archive,
      onInvalid() {},
      onProgress() {},
      signal: new AbortController().signal,
      stallMs: 300,
    }).run();
    await expect(run).rejects.toThrow(/Nothing has moved for 0.3 s: of 2500 messages sent, funnel has handled 2500/);
    stuck.abort();
  });
});
