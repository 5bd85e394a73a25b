import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createRecorder, type HistoryEvent, type Recorder } from '../history/index.js';
import { Progress } from './progress.js';
import { Tail } from './tail.js';
import type { ChaosBroker, ChaosTarget } from './target.js';
import type { ChaosWork, RedriveWork } from './work.js';
import type { WorkerSettings } from './worker.js';

const WORKER = fileURLToPath(new URL('./worker.js', import.meta.url));
const LOOK_MS = 20;
/** Who works on what may die has so long to come there, milliseconds; then it is another one. */
const CRASH_MS = 3_000;
const GROUP = 'group';

/** How much a run sends, and how fast. */
export interface ChaosLoad {
  readonly messages: number;
  readonly keys: number;
  readonly ratePerSecond: number;
}

/** What a run works on. */
export interface RunSettings {
  readonly target: ChaosTarget;
  readonly broker: ChaosBroker;
  readonly load: ChaosLoad;
  /** Where the histories go. Exists. */
  readonly folder: string;
  readonly namespace: string;
  readonly scenario: string;
  /** Members and producer come through the proxy. */
  readonly proxied: boolean;
  readonly work: ChaosWork;
  /** Ends every wait. */
  readonly deadline: AbortSignal;
}

/** A process of the run. */
export interface Worker {
  readonly name: string;
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
}

/** One scenario in progress: starts processes, hurts them, and watches their histories. */
export class ChaosRun {
  readonly recorder: Recorder;
  readonly group = GROUP;
  readonly settings: RunSettings;
  readonly #files: string[] = [];
  readonly #tails = new Map<string, Tail>();
  readonly #workers: Worker[] = [];
  readonly #progress = new Progress();
  #members = 0;
  #redrivers = 0;

  constructor(settings: RunSettings) {
    this.settings = settings;
    this.recorder = createRecorder(this.#file('nemesis'), 'nemesis');
  }

  get files(): readonly string[] {
    return this.#files;
  }

  /** Handler calls that ended well, so far. */
  get handledCalls(): number {
    return this.#progress.handledCalls;
  }

  /** Letters that are not known to be removed, so far. */
  get standing(): number {
    return this.#progress.standing;
  }

  async producer(): Promise<Worker> {
    return this.#start('producer', 'p');
  }

  /** Joins the group; resolves when it has. */
  async member(): Promise<Worker> {
    this.#members += 1;
    return this.#start('member', `m${this.#members}`);
  }

  /** Redrives the letters of the group, from now on, and ends then. */
  async redriver(how: RedriveWork): Promise<Worker> {
    this.#redrivers += 1;
    return this.#start('redriver', `r${this.#redrivers}`, how);
  }

  /** Puts on record which letters there are. */
  async listLetters(): Promise<void> {
    await this.ended(await this.#start('lister', 'l'));
  }

  /** It is through, or dead. */
  async ended({ name, child, exited }: Worker): Promise<void> {
    await this.#bounded(exited, `${name} to end`);
    if (child.signalCode === null && child.exitCode !== 0) throw new Error(`${name} ended with ${child.exitCode}`);
  }

  /** Leaves in good order. */
  async leave(member: Worker): Promise<void> {
    member.child.send('close');
    await this.#bounded(member.exited, `${member.name} to close`);
  }

  /** Ends it at once. */
  async kill(worker: Worker): Promise<void> {
    this.recorder.member(GROUP, 'killed', worker.name);
    worker.child.kill('SIGKILL');
    await worker.exited;
  }

  /**
   * One of `workers` dies where the work lets it, by its own hand: they are told one after the other, and the first that comes there is
   * the only one. Resolves with how many did.
   */
  async crash(workers: readonly Worker[]): Promise<number> {
    for (let next = 0; !workers.some(killed); next = (next + 1) % workers.length) {
      this.settings.deadline.throwIfAborted();
      const worker = workers[next] as Worker;
      // It may die before it hears that it is to live.
      worker.child.send('crash', () => {});
      if (!(await this.#dies(worker))) worker.child.send('live', () => {});
    }
    return workers.filter(killed).length;
  }

  async #dies({ child, exited }: Worker): Promise<boolean> {
    const late = new AbortController();
    await Promise.race([exited, wait(CRASH_MS, undefined, { signal: late.signal }).catch(() => {})]);
    late.abort();
    return child.signalCode !== null;
  }

  /** It dies where it shall. */
  async crashOne({ name, child, exited }: Worker): Promise<void> {
    child.send('crash');
    await this.#bounded(exited, `${name} to die`);
  }

  /** From now on these can handle everything. */
  async recover(members: readonly Worker[]): Promise<void> {
    const answers = members.map(({ child }) => once(child, 'message'));
    for (const { child } of members) child.send('recover');
    await this.#bounded(Promise.all(answers), 'members to recover');
  }

  /**
   * By its own hand, between two turns of its event loop. Stopped from outside it may stand between the question whether a message is
   * still its own and the handler that begins then: what no adapter can know would look like a fault.
   */
  async suspend({ name, child }: Worker): Promise<void> {
    const answer = once(child, 'message');
    child.send('stop');
    await this.#bounded(answer, `${name} to stop`);
  }

  resume(worker: Worker): void {
    worker.child.kill('SIGCONT');
    this.recorder.member(GROUP, 'continued', worker.name);
  }

  /** At least this part of the messages is confirmed. */
  sent(part: number): Promise<void> {
    return this.until(() => this.#progress.sent >= part * this.settings.load.messages, `${part} of the sends`);
  }

  /** What was given up so far has its letters. */
  kept(): Promise<void> {
    return this.until(
      () => this.#progress.unkept === 0,
      () => `${this.#progress.unkept} letters`,
    );
  }

  /** So many letters more are removed. */
  removed(count: number): Promise<void> {
    const before = this.#progress.removed;
    return this.until(() => this.#progress.removed - before >= count, `${count} letters to be removed`);
  }

  /** The producer is through, and everything that it was told is stored was handled, or became a letter that nobody has redriven. */
  async drained(producer: Worker): Promise<void> {
    await this.#bounded(producer.exited, 'the producer');
    await this.until(
      () => this.#progress.left === 0,
      () => `${this.#progress.left} messages`,
    );
  }

  /** Looks again and again until it holds. Rejects with `what` it waited for. */
  async until(holds: () => boolean, what: string | (() => string)): Promise<void> {
    for (this.#look(); !holds(); this.#look()) {
      if (this.settings.deadline.aborted) throw new Error(`waited for ${typeof what === 'string' ? what : what()}`);
      await wait(LOOK_MS);
    }
  }

  /** Lets a fault last. */
  pause(ms: number): Promise<unknown> {
    return wait(ms, undefined, { signal: this.settings.deadline });
  }

  /** Ends everything that still runs. */
  async end(): Promise<void> {
    for (const { child } of this.#workers) if (child.exitCode === null) child.kill('SIGKILL');
    await Promise.all(this.#workers.map(({ exited }) => exited));
    this.recorder.close();
    for (const tail of this.#tails.values()) tail.close();
  }

  /** Members that are still there leave in good order. */
  async closeAll(): Promise<void> {
    const open = this.#workers.filter(
      ({ child, name }) => child.exitCode === null && child.signalCode === null && name !== 'p',
    );
    await Promise.all(open.map((member) => this.leave(member)));
  }

  async #start(role: WorkerSettings['role'], name: string, how: RedriveWork = {}): Promise<Worker> {
    const { target, broker, load, namespace, scenario, proxied, work } = this.settings;
    const settings: WorkerSettings = {
      role,
      name,
      module: target.module,
      connection: proxied ? broker.proxied : broker.direct,
      namespace,
      topic: scenario,
      group: GROUP,
      file: this.#file(name),
      workMs: 1,
      ...load,
      ...work,
      ...(role === 'redriver' && { redrive: how }),
    };
    const child = fork(WORKER, [JSON.stringify(settings)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const worker = { name, child, exited: once(child, 'exit') };
    this.#workers.push(worker);
    await this.#bounded(Promise.race([once(child, 'message'), gone(worker)]), `${name} to be ready`);
    return worker;
  }

  #file(name: string): string {
    const file = join(this.settings.folder, `${this.settings.scenario}-${name}.jsonl`);
    this.#files.push(file);
    return file;
  }

  async #bounded(promise: Promise<unknown>, what: string): Promise<void> {
    const { deadline } = this.settings;
    const over = new AbortController();
    const late = once(deadline, 'abort', { signal: over.signal }).then(() => {
      throw new Error(`waited for ${what}`);
    });
    late.catch(() => {});
    if (deadline.aborted) throw new Error(`waited for ${what}`);
    await Promise.race([promise, late]).finally(() => over.abort());
  }

  #look(): void {
    for (const file of this.#files) {
      if (!this.#tails.has(file) && existsSync(file)) this.#tails.set(file, new Tail(file));
      for (const line of this.#tails.get(file)?.lines() ?? []) this.#progress.note(JSON.parse(line) as HistoryEvent);
    }
  }
}

const killed = ({ child }: Worker): boolean => child.signalCode === 'SIGKILL';

async function gone({ name, exited }: Worker): Promise<never> {
  await exited;
  throw new Error(`${name} ended before it was ready`);
}
