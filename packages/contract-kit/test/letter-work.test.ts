import type {
  Adapter,
  AdapterRuntime,
  ConfiguredAdapter,
  IncomingRecord,
  OutgoingRecord,
  ReceiverSink,
  ReceiverSpec,
  TopicSpec,
  WriteResult,
} from '@anymq/core/adapter';
import { describe, expect, test } from '@jest/globals';
import { crashing } from '../src/chaos/crash.js';
import { keeping, Redriver } from '../src/chaos/letter-work.js';
import { Progress } from '../src/chaos/progress.js';
import { createRecorder, type HistoryEvent, parseLines } from '../src/index.js';
import { type Tamper, tampered } from '../src/tamper.js';
import { begin, crash, end, letter, sending, sent } from './support/events.js';

const LEDGER = { name: 'anymq.dead.orders.billing.0' } as TopicSpec;
const INBOX = { name: 'anymq.inbox.orders.billing.0' } as TopicSpec;
const ORDERS = { name: 'orders' } as TopicSpec;

/** Stores what has an even place, and notes that it was asked. */
function adapterWith(tamper: Tamper, steps: unknown[]): Adapter {
  const write = async (_: number, records: readonly OutgoingRecord[]): Promise<WriteResult[]> => {
    steps.push('write');
    return records.map((__, i) => (i % 2 === 0 ? { status: 'stored' } : { status: 'unknown', error: undefined }));
  };
  const own = {
    openSender: async () => ({ write }),
    openReceiver: async () => ({ settle: () => steps.push('settle') }),
  };
  const configured = { name: 'fake', capabilities: {}, create: () => own } as unknown as ConfiguredAdapter;
  return tampered(configured, () => tamper).create({} as AdapterRuntime);
}

const record = (id: string, headers: Record<string, string> = {}): OutgoingRecord =>
  ({ id, headers }) as unknown as OutgoingRecord;
const letterOf = (n: number): OutgoingRecord => record(`l${n}`, { 'anymq-dead-letter-id': `m${n}` });

async function written(tamper: Tamper, topic: TopicSpec, records: readonly OutgoingRecord[], steps: unknown[]) {
  const sender = await adapterWith(tamper, steps).openSender(topic);
  await sender.write(0, records);
  return steps;
}

describe('a crash point', () => {
  test('lettered is reached with the messages whose letters are stored, after their write', async () => {
    const run = (topic: TopicSpec, ...records: readonly OutgoingRecord[]) => {
      const steps: unknown[] = [];
      return written(
        crashing('lettered', (ids) => steps.push(ids)),
        topic,
        records,
        steps,
      );
    };
    expect(await run(LEDGER, letterOf(1), letterOf(2), letterOf(3))).toEqual(['write', ['m1', 'm3']]);
    expect(await run(LEDGER, record('marker'))).toEqual(['write', []]);
    expect(await run(ORDERS, letterOf(1))).toEqual(['write']);
  });

  test('redriven is reached with what is stored in the inbox, and not at the removal', async () => {
    const steps: unknown[] = [];
    const tamper = crashing('redriven', (ids) => steps.push(ids));
    await written(tamper, INBOX, [record('m1'), record('m2')], steps);
    await written(tamper, LEDGER, [record('l1', { 'anymq-removed': '1' })], steps);
    expect(steps).toEqual(['write', ['m1'], 'write']);
  });

  test('handled is reached before anything is settled, and not for topics of core itself', async () => {
    const steps: unknown[] = [];
    const adapter = adapterWith(
      crashing('handled', (ids) => steps.push(ids)),
      steps,
    );
    const open = (topic: TopicSpec) => adapter.openReceiver({ topic } as ReceiverSpec, {} as ReceiverSink);
    (await open(ORDERS)).settle([{ id: 'm1' } as IncomingRecord]);
    (await open(INBOX)).settle([{ id: 'm2' } as IncomingRecord]);
    expect(steps).toEqual([['m1'], 'settle', 'settle']);
  });
});

describe('on record', () => {
  const recording = (steps: unknown[] = []) => {
    let text = '';
    const write = (lines: string): void => {
      text += lines;
      steps.push('record');
    };
    const recorder = createRecorder({ write, close: () => {} }, 'r1', () => 7);
    const seen = () => parseLines(text).events.map((event) => event.kind === 'letter' && [event.change, event.id]);
    return { recorder, seen };
  };

  test('are letters once they are stored', async () => {
    const { recorder, seen } = recording();
    await written(keeping(recorder, 'g'), LEDGER, [letterOf(1), letterOf(2), record('marker')], []);
    expect(seen()).toEqual([['kept', 'm1']]);
  });

  test('are redriven messages before they are written, and removals once they are stored', async () => {
    const steps: unknown[] = [];
    const { recorder, seen } = recording(steps);
    const redriver = new Redriver(recorder, 'g');
    const removal = (id: string) => record(id, { 'anymq-removed': '1' });
    const letters = {
      redrive: async ({ where }: { where: (letter: object) => boolean }) => {
        for (const n of [1, 2]) where({ id: `l${n}`, messageId: `m${n}` });
        await written(redriver.tamper(), INBOX, [record('m1'), record('m2')], steps);
        await written(redriver.tamper(), LEDGER, [removal('l1'), removal('l2')], steps);
      },
    };
    await redriver.run(letters as unknown as Parameters<Redriver['run']>[0], undefined);
    expect(steps).toEqual(['record', 'record', 'write', 'write', 'record']);
    expect(seen()).toEqual([
      ['redriving', 'm1'],
      ['redriving', 'm2'],
      ['removed', 'm1'],
    ]);
  });
});

describe('a run', () => {
  const leftAfter = (...events: readonly HistoryEvent[]): number => {
    const progress = new Progress();
    for (const event of [sending(0, 1), sent(1, 1), ...events]) progress.note(event);
    return progress.left;
  };

  test('is through with a message that was acknowledged, or is a letter', () => {
    expect(leftAfter(begin(2, 1))).toBe(1);
    expect(leftAfter(begin(2, 1), end(3, 1, 'c1', 'rejected'))).toBe(1);
    expect(leftAfter(begin(2, 1), end(3, 1))).toBe(0);
    expect(leftAfter(begin(2, 1), end(3, 1, 'c1', 'rejected'), letter(4, 1, 'kept'))).toBe(0);
  });

  test('waits for what a process held when it died, and for what was redriven, whichever file is read first', () => {
    const done = [begin(2, 1), end(3, 1)];
    const later = [begin(6, 1, 'c2'), end(7, 1, 'c2')];
    expect(leftAfter(...done, crash(5, 'c1', 'handled', 1))).toBe(1);
    expect(leftAfter(...done, crash(5, 'c1', 'handled', 1), ...later)).toBe(0);
    expect(leftAfter(...later, ...done, crash(5, 'c1', 'handled', 1))).toBe(0);
    expect(leftAfter(letter(4, 1, 'kept'), letter(5, 1, 'redriving', 'r1'))).toBe(1);
    expect(leftAfter(letter(4, 1, 'kept'), letter(5, 1, 'redriving', 'r1'), ...later)).toBe(0);
  });
});
