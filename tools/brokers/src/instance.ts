import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BrokerError } from './errors.js';
import { isOurs } from './identity.js';
import type { Kind, Place, Program } from './kind.js';
import { isOpen } from './ports.js';
import { isAlive, signal, startDetached, until } from './process.js';
import { readOr } from './state.js';

const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 40_000;
const LOG_LINES = 15;

/** A program that a start has started, or has found running. */
interface Launched {
  readonly program: Program;
  readonly pid: number;
  readonly isNew: boolean;
}

/** One broker of a kind at a place: its processes, whoever started them. */
export class Instance {
  readonly kind: Kind;
  readonly place: Place;

  constructor(kind: Kind, place: Place) {
    this.kind = kind;
    this.place = place;
  }

  /** Pids of its processes that run. A pid file of a process that is gone counts for nothing. */
  pids(): number[] {
    return this.kind.processes.map((name) => this.#pidOf(name)).filter((pid) => pid > 0);
  }

  answers(): Promise<boolean> {
    return this.kind.answers(this.place.ports);
  }

  /** Something listens on one of its ports. */
  async isBusy(): Promise<boolean> {
    const open = await Promise.all(Object.values(this.place.ports).map(isOpen));
    return open.includes(true);
  }

  /**
   * Starts what does not run and waits for a real answer, at most 90 s after its jars are here. Throws one sentence and
   * the last lines of the log; what this call started has ended then.
   */
  async start(): Promise<void> {
    await this.kind.requirements(this.place);
    await this.#checkPorts();
    await this.kind.prepare(this.place);
    mkdirSync(this.#out, { recursive: true });
    const deadline = performance.now() + START_TIMEOUT_MS;
    const launched: Launched[] = [];
    const reach = async (goal: () => Promise<boolean>): Promise<void> => {
      const dead = (): boolean => launched.some(({ pid }) => !isAlive(pid));
      if (!(await until(goal, deadline - performance.now(), dead))) throw await this.#didNotAnswer(launched);
    };
    for (const program of this.kind.programs(this.place)) {
      launched.push(this.#launch(program));
      if (program.ready !== undefined) await reach(program.ready);
    }
    await reach(() => this.answers());
    await reach(async () => (await this.kind.warmUp?.(this.place.ports)) ?? true);
  }

  /** SIGTERM, and SIGKILL to what does not end within 40 s. Waits for their end. */
  async stop(): Promise<void> {
    const pids = this.pids();
    // A suspended process gets no SIGTERM before it goes on.
    for (const sent of ['SIGTERM', 'SIGCONT'] as const) this.signal(sent);
    await until(() => this.pids().length === 0, STOP_TIMEOUT_MS);
    await this.#end(pids.length > 0);
  }

  /** SIGKILL to all: they write nothing more. Waits for their end. */
  async kill(): Promise<void> {
    await this.#end(this.pids().length > 0);
  }

  /** Sends a signal to all its processes. */
  signal(name: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    for (const pid of this.pids()) signal(pid, name);
  }

  /** Paths of its log files. */
  logs(): string[] {
    const printed = this.kind.processes.map((name) => this.#logFile(name));
    const written = this.kind.logs.map((file) => join(this.place.folder, file));
    return [...printed, ...written].filter((file) => existsSync(file));
  }

  get #out(): string {
    return join(this.place.folder, 'out');
  }

  #logFile(name: string): string {
    return join(this.#out, `${name}.log`);
  }

  #pidFile(name: string): string {
    return join(this.place.folder, `${name}.pid`);
  }

  /** 0 when it does not run. */
  #pidOf(name: string): number {
    const pid = Number(readOr(this.#pidFile(name), '0').trim());
    return isOurs(pid, this.place.folder) ? pid : 0;
  }

  async #end(ran: boolean): Promise<void> {
    this.signal('SIGKILL');
    // The system closes a big process's files some time after its command line is gone.
    if (ran) await until(async () => this.pids().length === 0 && !(await this.isBusy()), STOP_TIMEOUT_MS);
    for (const name of this.kind.processes) rmSync(this.#pidFile(name), { force: true });
  }

  #launch(program: Program): Launched {
    const running = this.#pidOf(program.name);
    if (running > 0) return { program, pid: running, isNew: false };
    const log = this.#logFile(program.name);
    // One log a start, and the one before: an old error must not look like this start's.
    if (existsSync(log)) renameSync(log, `${log}.1`);
    const { command, args, env = {} } = program;
    const pid = startDetached(command, args, { log, cwd: this.place.folder, env });
    writeFileSync(this.#pidFile(program.name), String(pid));
    return { program, pid, isNew: true };
  }

  async #checkPorts(): Promise<void> {
    if (this.pids().length > 0) return;
    for (const [use, port] of Object.entries(this.place.ports)) {
      if (!(await isOpen(port))) continue;
      const { title } = this.kind;
      throw new BrokerError(
        `${title} cannot start: its ${use} port ${port} is in use by another process, and no ${title} answers there. ` +
          `End that process, or use a private instance.`,
      );
    }
  }

  async #didNotAnswer(launched: readonly Launched[]): Promise<BrokerError> {
    const failed = launched.find(({ pid }) => !isAlive(pid)) ?? launched.at(-1);
    const ended = failed !== undefined && !isAlive(failed.pid);
    const ours = launched.filter(({ isNew }) => isNew).map(({ pid }) => pid);
    for (const pid of ours) if (pid > 0) signal(pid, 'SIGKILL');
    await until(() => !ours.some(isAlive), STOP_TIMEOUT_MS);
    const what = ended ? 'ended before it answered' : `did not answer within ${START_TIMEOUT_MS / 1_000} s`;
    const hint = ours.length > 0 ? '' : " It ran already: 'down' and 'up' start it afresh.";
    const file = this.#logFile(failed?.program.name ?? 'broker');
    const lines = readOr(file, '').trimEnd().split('\n').slice(-LOG_LINES).join('\n');
    return new BrokerError(`${this.kind.title} ${what}.${hint} The last lines of ${file}:\n${lines}`);
  }
}
