import { type Adapter, CAPABILITY_IDS, type Capabilities, type ConfiguredAdapter } from '@anymq/core/adapter';
import { describe, expect, test } from '@jest/globals';
import {
  type ContractCase,
  cases,
  certify,
  type OpenTarget,
  proofsOf,
  Received,
  runCase,
  runContract,
  skipReason,
  Waiter,
} from '../src/index.js';
import { CASE_IDS } from './support/case-ids.js';

const capabilities = (unsupported: readonly string[] = []): Capabilities => ({
  rows: Object.fromEntries(
    CAPABILITY_IDS.map((id) => [
      id,
      { level: unsupported.includes(id) ? 'unsupported' : 'native', note: `note of ${id}` },
    ]),
  ) as Capabilities['rows'],
  limits: {
    maxBodyBytes: 1,
    maxHeadersBytes: 1,
    takeoverMs: 1,
    maxHoldMs: 1,
    maxDelayMs: 1,
    delayToleranceMs: 1,
  },
});
const configured = (rows = capabilities()): ConfiguredAdapter => ({
  name: 'fake',
  capabilities: rows,
  create: () => ({}) as Adapter,
});
const target = (rows?: Capabilities): OpenTarget => ({
  configure: () => configured(rows),
  unreachable: () => configured(rows),
});
const aCase = (run: ContractCase['run'], rest: Partial<ContractCase> = {}): ContractCase => ({
  id: 'X1',
  law: 1,
  title: 'a title',
  needs: [],
  run,
  ...rest,
});

describe('cases', () => {
  test('have unique ids, a law and a sentence each', () => {
    expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length);
    for (const { id, law, title } of cases) {
      expect(id).toMatch(/^[A-Z]{2}\d+$/);
      expect(law).toBeGreaterThan(0);
      expect(title.length).toBeGreaterThan(20);
    }
  });

  /** Ids are stable for ever: a case may be added, never renamed or dropped without a decision. */
  test('are these', () => {
    expect(cases.map(({ id }) => id).toSorted()).toEqual(CASE_IDS.toSorted());
  });
});

describe('runCase', () => {
  test('passes, fails with the error, and fails at the deadline', async () => {
    expect(
      await runCase(
        aCase(async () => {}),
        target(),
      ),
    ).toMatchObject({ id: 'X1', status: 'passed' });
    const error = new Error('no');
    expect(
      await runCase(
        aCase(() => Promise.reject(error)),
        target(),
      ),
    ).toMatchObject({ status: 'failed', error });
    const late = await runCase(
      aCase((t) => t.until(() => false, 'what never comes'), { timeoutMs: 50 }),
      target(),
    );
    expect(late).toMatchObject({
      status: 'failed',
      error: { message: 'waited until the deadline for what never comes' },
    });
    const stuck = await runCase(
      aCase(() => new Promise(() => {}), { timeoutMs: 50 }),
      target(),
    );
    expect(stuck).toMatchObject({ status: 'failed', error: { message: 'the case took longer than 50 ms' } });
  });

  test('skips only for an unsupported capability, with the reason', async () => {
    const needs = aCase(async () => {}, { needs: ['lag'] });
    expect(await runCase(needs, target(capabilities(['lag'])))).toMatchObject({
      status: 'skipped',
      reason: 'lag is unsupported: note of lag',
    });
    expect(skipReason(needs, capabilities(['groups']))).toBeUndefined();
  });

  test('cleans up the namespace of every case, also of one that failed', async () => {
    const cleaned: string[] = [];
    const used: string[] = [];
    const tidy: OpenTarget = { ...target(), cleanUp: async (namespace) => void cleaned.push(namespace) };
    const run: ContractCase['run'] = async (t) => {
      used.push(t.namespace);
      throw new Error('no');
    };
    await runCase(aCase(run), tidy);
    await runCase(aCase(run), tidy);
    expect(cleaned).toEqual(used);
    expect(new Set(used).size).toBe(2);
  });
});

describe('received', () => {
  const delivery = (id: string, key = id) => ({ id, key, value: 1 }) as never;

  test('counts handlers at once, over all and of one key', async () => {
    const received = new Received<number>(new Waiter(new AbortController().signal));
    const ends: (() => void)[] = [];
    const handler = received.handler('a', () => new Promise<void>((resolve) => ends.push(resolve)));
    const calls = [handler(delivery('1', 'k')), handler(delivery('2', 'k')), handler(delivery('3', 'other'))];
    expect([received.running, received.mostRunning, received.mostOfKey]).toEqual([3, 3, 2]);
    for (const end of ends) end();
    await Promise.all(calls);
    expect([received.running, received.mostRunning]).toEqual([0, 3]);
  });

  test('waits for what is handled to its end, and names duplicates', async () => {
    const abort = new AbortController();
    const received = new Received<number>(new Waiter(abort.signal));
    const all = received.all(['1', '2']);
    await received.handler()(delivery('1'));
    await received.handler()(delivery('1'));
    await received.handler()(delivery('2'));
    await all;
    expect(received.duplicates).toEqual(['1']);
    const missing = received.all(['3']);
    abort.abort();
    await expect(missing).rejects.toThrow('1 are missing: 3');
  });
});

describe('runContract', () => {
  test.each([undefined, 3])(
    'gives every result in order, and lets no two that disturb share a way: %p',
    async (ways) => {
      let disturbing = 0;
      let most = 0;
      const disturb: ContractCase['run'] = async () => {
        disturbing += 1;
        most = Math.max(most, disturbing);
        await new Promise((resolve) => setImmediate(resolve));
        disturbing -= 1;
      };
      const wanted = Array.from({ length: 12 }, (_, i) =>
        i % 2 === 0 ? aCase(disturb, { id: `D${i}`, disturbs: true }) : aCase(async () => {}, { id: `C${i}` }),
      );
      const told: string[] = [];
      const results = await runContract(
        { ...target(), ...(ways && { ways }) },
        { cases: wanted, onResult: ({ id }) => told.push(id) },
      );
      expect(results.map(({ id }) => id)).toEqual(wanted.map(({ id }) => id));
      expect([...told].sort()).toEqual(wanted.map(({ id }) => id).sort());
      expect(most).toBe(ways ?? 1);
    },
  );

  test('a claim for which the target has no means of proof fails, and says what is missing', async () => {
    const native = aCase(async (t) => void (await t.native()), { needs: ['native-interop'] });
    const result = await runCase(native, target());
    expect(String(result.error)).toContain("claims 'native-interop': give its target native()");
  });
});

describe('certificate', () => {
  test('every row of the capability table has a case that proves it', () => {
    for (const row of CAPABILITY_IDS) expect([row, proofsOf(row).length > 0]).toEqual([row, true]);
  });

  test('says what ran, what failed and which claims that leaves unproven', async () => {
    const [one, two] = cases.filter(({ needs }) => needs.includes('lag') || needs.includes('batch'));
    const failing = { ...(one as ContractCase), run: () => Promise.reject(new Error('no')) };
    const passing = { ...(two as ContractCase), run: async () => {} };
    const results = await runContract(target(), { cases: [failing, passing] });
    const certificate = await certify('fake', { ...target(), about: () => ({ broker: 'none 1.0' }) }, results, 7);
    expect(certificate).toMatchObject({
      target: 'fake',
      seed: 7,
      kept: false,
      about: { adapter: 'fake', broker: 'none 1.0' },
    });
    const row = certificate.capabilities.find(({ id }) => failing.needs.includes(id));
    expect(row?.failed).toEqual([failing.id]);
    expect(certificate.cases.map(({ status, error }) => [status, error])).toEqual([
      ['failed', 'Error: no'],
      ['passed', undefined],
    ]);
    expect(JSON.parse(JSON.stringify(certificate))).toEqual(certificate);
  });
});
