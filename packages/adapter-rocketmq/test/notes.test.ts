import { expect, test } from '@jest/globals';
import type { NativeDelivery } from '../src/codec.js';
import type { Entry } from '../src/internal/batch.js';
import { Notes } from '../src/internal/notes.js';
import type { AttemptNotes, Note } from '../src/topology.js';
import { StillClock, turn } from './support/clock.js';
import { type TestRuntime, testRuntime } from './support/runtime.js';

/** Name servers in memory. */
class Servers implements AttemptNotes {
  readonly notes = new Map<string, Note>();
  readonly asked: string[] = [];
  /** What was to be kept or forgotten, in the order in which it was begun. */
  readonly words: string[] = [];
  underWay = 0;
  answers = true;
  /** Words take effect when this resolves. */
  gate: Promise<void> = Promise.resolve();

  note(_: string, id: string, note: Note): Promise<void> {
    this.words.push(`${id} ${note.attempts}`);
    return this.#do(() => void this.notes.set(id, note));
  }

  async read(_: string, id: string): Promise<number> {
    this.asked.push(id);
    return this.notes.get(id)?.attempts ?? 0;
  }

  async all(): Promise<ReadonlyMap<string, Note>> {
    this.asked.push('all');
    if (!this.answers) throw new Error('gone');
    return new Map(this.notes);
  }

  forget(_: string, id: string): Promise<void> {
    this.words.push(`${id} gone`);
    return this.#do(() => void this.notes.delete(id));
  }

  async #do(effect: () => void): Promise<void> {
    this.underWay += 1;
    await this.gate;
    this.underWay -= 1;
    if (!this.answers) throw new Error('gone');
    effect();
  }
}

function setUp(keyed: boolean) {
  const servers = new Servers();
  const clock = new StillClock();
  const runtime: TestRuntime = { ...testRuntime('n'), clock };
  const notes = () => new Notes({ runtime, attempts: servers, group: 'g', keyed });
  const read = (by: Notes, ...answer: NativeDelivery[]) => by.read(answer, answer);
  /** Words take no effect until it is called. */
  const shut = (): (() => void) => {
    let open = (): void => {};
    servers.gate = new Promise((resolve) => {
      open = resolve;
    });
    return open;
  };
  return { servers, runtime, clock, notes, read, shut };
}

const delivery = (offset: number, deliveryAttempt = 1) =>
  ({ messageId: `m${offset}`, queue: 'a/0', offset, deliveryAttempt }) as NativeDelivery;
const entry = (offset: number) => ({ ...delivery(offset), id: `id-${offset}`, noted: false }) as unknown as Entry;

test('what one member has noted the next knows, whatever the broker says of it', async () => {
  const { notes, read, clock } = setUp(true);
  const one = notes();
  one.failed(entry(0), 2);
  one.settled(entry(3));
  const leaving = one.noticed();
  await clock.pass(600);
  await leaving;
  expect(await read(notes(), delivery(0), delivery(1), delivery(3), delivery(4))).toEqual([2, 0, -1, 0]);
});

test('on a keyed topic there is one question in half a second, whatever the number of messages', async () => {
  const { notes, read, servers, clock } = setUp(true);
  const member = notes();
  await Promise.all([1, 2, 3].map((offset) => read(member, delivery(offset))));
  await clock.pass(499);
  expect(await read(member, delivery(4))).toBeUndefined();
  expect(servers.asked).toEqual(['all']);
  await clock.pass(1);
  await read(member, delivery(5));
  expect(servers.asked).toEqual(['all', 'all']);
});

test('notes of what a queue is beyond are removed once, others stay', async () => {
  const { notes, read, servers } = setUp(true);
  const [dead, member] = [notes(), notes()];
  for (const offset of [1, 4, 7]) dead.failed(entry(offset), 1);
  await dead.written();
  // Of the answer only the last is new to us: the first holds the place.
  await member.read([delivery(6)], [delivery(4), delivery(6)]);
  await member.read([delivery(6)], [delivery(4), delivery(6)]);
  await member.written();
  expect([...servers.notes.keys()]).toEqual(['m4', 'm7']);
  expect(servers.words.slice(3)).toEqual(['m1 gone']);
  await read(member, delivery(8));
  await member.written();
  expect([...servers.notes.keys()]).toEqual([]);
});

test('name servers that do not answer hold nothing up, and are not asked again with every answer', async () => {
  const { notes, read, servers, runtime, clock } = setUp(true);
  servers.answers = false;
  const member = notes();
  expect(await read(member, delivery(1))).toBeUndefined();
  await clock.pass(1_000);
  expect(await read(member, delivery(2))).toBeUndefined();
  expect(servers.asked).toEqual(['all']);
  expect(runtime.warnings).toEqual([expect.stringContaining('gone')]);
  await clock.pass(10_000);
  await read(member, delivery(3));
  expect(servers.asked).toEqual(['all', 'all']);
});

test('without a key only what comes again is asked for', async () => {
  const { notes, read, servers } = setUp(false);
  const member = notes();
  member.failed(entry(2), 3);
  await member.noticed();
  expect(await read(member, delivery(1))).toBeUndefined();
  expect(await read(member, delivery(1), delivery(2, 2))).toEqual([0, 3]);
  expect(servers.asked).toEqual(['m2']);
});

test('of what is done soon after it failed the name servers hear nothing, and no timer is left', async () => {
  const { notes, servers, clock } = setUp(true);
  const member = notes();
  for (let offset = 0; offset < 100; offset++) {
    const each = entry(offset);
    member.failed(each, 1);
    expect(clock.timers).toBe(1);
    await clock.pass(20);
    member.done(each);
    // The broker confirms it late.
    if (offset % 2 === 0) member.forget(each);
  }
  await clock.pass(250);
  expect(servers.words).toEqual([]);
  expect(clock.timers).toBe(0);
});

test('what is undone 250 ms after its first failure is noted once, with what it has come to; then it is taken back', async () => {
  const { notes, servers, clock } = setUp(true);
  const member = notes();
  const each = entry(1);
  for (const attempts of [1, 2, 3]) {
    member.failed(each, attempts);
    await clock.pass(100);
  }
  expect(servers.words).toEqual(['m1 3']);
  member.failed(each, 4);
  await clock.pass(249);
  expect(servers.words).toEqual(['m1 3']);
  await clock.pass(1);
  expect(servers.words).toEqual(['m1 3', 'm1 4']);
  member.done(each);
  member.forget(each);
  await member.written();
  expect(servers.words).toEqual(['m1 3', 'm1 4', 'm1 gone']);
});

test('what failed later waits its own time, with the same timer', async () => {
  const { notes, servers, clock } = setUp(true);
  const member = notes();
  member.failed(entry(1), 1);
  await clock.pass(100);
  member.failed(entry(2), 1);
  expect(clock.timers).toBe(1);
  await clock.pass(150);
  expect(servers.words).toEqual(['m1 1']);
  await clock.pass(100);
  expect(servers.words).toEqual(['m1 1', 'm2 1']);
});

test('who leaves writes at once what waits, and says so only when it is written', async () => {
  const { notes, servers, shut } = setUp(true);
  const member = notes();
  const open = shut();
  member.failed(entry(1), 1);
  let written = false;
  const leaving = member.written().then(() => {
    written = true;
  });
  await turn();
  expect([servers.words, written]).toEqual([['m1 1'], false]);
  open();
  await leaving;
  expect(servers.notes.get('m1')).toEqual({ attempts: 1, queue: 'a/0', offset: 1 });
});

test('the last word about a message is the last that the name servers get', async () => {
  const { notes, servers, shut, clock } = setUp(true);
  const member = notes();
  const [one, two] = [entry(1), entry(2)];
  for (const each of [one, two]) member.failed(each, 1);
  const open = shut();
  await clock.pass(250);
  // While the first words are on their way.
  member.forget(one);
  member.failed(two, 2);
  const written = member.written();
  await turn();
  expect(servers.words).toEqual(['m1 1', 'm2 1']);
  member.settled(two);
  open();
  await written;
  expect(servers.words).toEqual(['m1 1', 'm2 1', 'm1 gone', 'm2 -1']);
  expect([...servers.notes]).toEqual([['m2', { attempts: -1, queue: 'a/0', offset: 2 }]]);
});

test('few words are under way at once, however many there are, and what is done meanwhile is not written', async () => {
  const { notes, servers, shut } = setUp(true);
  const member = notes();
  const all = Array.from({ length: 50 }, (_, offset) => entry(offset));
  for (const each of all) member.failed(each, 1);
  const open = shut();
  const written = member.written();
  await turn();
  expect([servers.underWay, servers.words.length]).toEqual([8, 8]);
  for (const each of all.slice(8)) member.forget(each);
  open();
  await written;
  expect(servers.words.length).toBe(8);
});

test('what comes back before its note is written has its number all the same', async () => {
  for (const keyed of [true, false]) {
    const { notes, read, servers, shut } = setUp(keyed);
    const member = notes();
    member.failed(entry(1), 2);
    expect(await read(member, delivery(1, 2), delivery(2))).toEqual([2, 0]);
    const open = shut();
    const written = member.written();
    await turn();
    expect(await read(member, delivery(1, 2))).toEqual([2]);
    open();
    await written;
    expect(servers.words).toEqual(['m1 2']);
  }
});

test('what was written here is known without another question', async () => {
  const { notes, read, servers } = setUp(true);
  const member = notes();
  await read(member, delivery(0));
  member.failed(entry(1), 2);
  await member.written();
  expect(await read(member, delivery(1), delivery(2))).toEqual([2, 0]);
  expect(servers.asked).toEqual(['all']);
});

test('what cannot be noted is said, and holds nothing up', async () => {
  const { notes, servers, runtime, clock } = setUp(true);
  const member = notes();
  servers.answers = false;
  member.failed(entry(1), 1);
  await clock.pass(250);
  await member.written();
  expect(runtime.warnings).toEqual(["What happened to message 'id-1' could not be noted: gone"]);
});
