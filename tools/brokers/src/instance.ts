import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kind, Place, Program } from './kind.js';
import { isOpen } from './ports.js';
import { BrokerError, isAlive, isOurs, signal, startDetached, until } from './process.js';
import { readOr } from './state.js';

const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 40_000;
const LOG_LINES = 15;

/** One broker of a kind at a place: its processes, whoever started them. */
export class Instance {
  readonly kind: Kind;
  readonly place: Place;

  constructor(kind: Kind, place: Place) {
    this.kind = kind;
    this.place = place;
  }

  /** Pids of its processes that run. */
  pids(): number[] {
    const pids = this.#pidFiles().map((file) => Number(readOr(file, '0').trim()));
    return pids.filter((pid) => pid > 0 && isOurs(pid, this.place.folder));
  }

  answers(): Promise<boolean> {
    return this.kind.answers(this.place.ports);
  }

  /** Starts what does not run and waits for a real answer. Throws one sentence and the last lines of the log. */
  async start(): Promise<void> {
    await this.kind.requirements();
    await this.#checkPorts();
    await this.kind.prepare(this.place);
    mkdirSync(this.#logFolder, { recursive: true });
    const started: number[] = [];
    for (const program of this.kind.programs(this.place)) started.push(...(await this.#startProgram(program)));
    const dead = (): boolean => started.some((pid) => !isAlive(pid));
    const warm = async (): Promise<boolean> => (await this.kind.warmUp?.(this.place.ports)) ?? true;
    for (const holds of [() => this.answers(), warm]) {
      if (!(await until(holds, START_TIMEOUT_MS, dead))) throw await this.#didNotAnswer(dead());
    }
  }

  /** Ends its processes. SIGTERM lets them write what they hold; SIGKILL does not. */
  async stop(name: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    for (const pid of this.pids()) signal(pid, name);
    const gone = await until(async () => this.pids().length === 0, STOP_TIMEOUT_MS);
    if (!gone) for (const pid of this.pids()) signal(pid, 'SIGKILL');
    for (const file of this.#pidFiles()) rmSync(file, { force: true });
  }

  /** SIGSTOP or SIGCONT to all its processes. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    for (const pid of this.pids()) signal(pid, name);
  }

  /** Paths of its log files. */
  logs(): string[] {
    return existsSync(this.#logFolder) ? readdirSync(this.#logFolder).map((file) => join(this.#logFolder, file)) : [];
  }

  #pidFiles(): string[] {
    const { folder } = this.place;
    const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.pid')) : [];
    return names.map((name) => join(folder, name));
  }

  get #logFolder(): string {
    return join(this.place.folder, 'out');
  }

  /** The pid, if it had to be started. */
  async #startProgram(program: Program): Promise<number[]> {
    const pidFile = program.pidFile ?? join(this.place.folder, `${program.name}.pid`);
    if (isOurs(Number(readOr(pidFile, '0')), this.place.folder)) return [];
    const log = join(this.#logFolder, `${program.name}.log`);
    const pid = startDetached(program.command, program.args, {
      log,
      cwd: this.place.folder,
      ...(program.env === undefined ? {} : { env: program.env }),
    });
    if (program.pidFile === undefined) writeFileSync(pidFile, String(pid));
    const { ready } = program;
    if (ready !== undefined && !(await until(ready, START_TIMEOUT_MS, () => !isAlive(pid)))) {
      throw await this.#didNotAnswer(!isAlive(pid));
    }
    return [pid];
  }

  async #checkPorts(): Promise<void> {
    if (this.pids().length > 0) return;
    for (const [use, port] of Object.entries(this.place.ports)) {
      if (await isOpen(port)) {
        throw new BrokerError(
          `${this.kind.title} cannot start: its ${use} port ${port} is in use by another process. End that process, or start a private instance.`,
        );
      }
    }
  }

  async #didNotAnswer(died: boolean): Promise<BrokerError> {
    const file = this.logs().at(0) ?? this.#logFolder;
    const lines = readOr(file, '').trimEnd().split('\n').slice(-LOG_LINES).join('\n');
    await this.stop('SIGKILL');
    return new BrokerError(
      `${this.kind.title} ${died ? 'ended before it answered' : `did not answer within ${START_TIMEOUT_MS / 1_000} s`}. The last lines of ${file}:\n${lines}`,
    );
  }
}
