import { type Adapter, CAPABILITY_IDS, type Capabilities, type ConfiguredAdapter } from '@anymq/core/adapter';
import { describe, expect, test } from '@jest/globals';
import { type ContractCase, cases, type OpenTarget, Received, runCase, skipReason, Waiter } from '../src/index.js';

const capabilities = (unsupported: readonly string[] = []): Capabilities => ({
  rows: Object.fromEntries(
    CAPABILITY_IDS.map((id) => [
      id,
      { level: unsupported.includes(id) ? 'unsupported' : 'native', note: `note of ${id}` },
    ]),
  ) as Capabilities['rows'],
  limits: { maxBodyBytes: 1, maxHeadersBytes: 1, takeoverMs: 1 },
});
const configured = (rows = capabilities()): ConfiguredAdapter => ({
  name: 'fake',
  capabilities: rows,
  create: () => ({}) as Adapter,
});
const target = (rows?: Capabilities): OpenTarget => ({ configure: () => configured(rows) });
const aCase = (run: ContractCase['run'], rest: Partial<ContractCase> = {}): ContractCase => ({
  id: 'X1',
  law: 1,
  title: 'a title',
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
    expect(cases.map(({ id }) => id).join(' ')).toBe(
      'PB1 PB2 PB3 PB5 PB7 PB8 PB14 PF1 PF3 PF4 PF5 PF8 PF11 PF12 PF13 PF20 PF17 PF18 LM1 LM2 AK1 AK8 CG1 CG2 CG4 CG5 CG6 CG11 CG12 PB6 SP1 SP2 SP3 SP4 OR2 OR3 OR4 OR5 OR11 AK2 CO7 AK10 AK17 AK14 PF15 BA1 BA2 BA4 BA6 BP1 BP3 BP10 SD1 SD2 SD3 SD4 SD5 SD11 LC1 CO3 CO6 PB13 LC2 HE1 AD4 CP3 OB5 ER1 AD9 ER2 ER7 ER4 RC12 ER8 ER9',
    );
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

  test('skips only for an unsupported capability, or what the target cannot set up, with the reason', async () => {
    const needs = aCase(async () => {}, { needs: ['lag'] });
    expect(await runCase(needs, target(capabilities(['lag'])))).toMatchObject({
      status: 'skipped',
      reason: 'lag is unsupported: note of lag',
    });
    expect(skipReason(needs, capabilities(['groups']), target())).toBeUndefined();
    expect(
      skipReason(
        aCase(async () => {}, { setUp: ['native'] }),
        capabilities(),
        target(),
      ),
    ).toBe('the target has no native()');
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
