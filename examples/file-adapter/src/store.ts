import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type GroupStanding, MessagingError, type TopicSpec } from '@anymq/core/adapter';
import { fileName, nameOf, type Settings, Topic } from './topic.js';

/** A folder of topics: the broker. One process has it at a time; in it, everybody who shares this object meets. */
export class Store {
  readonly folder: string;
  readonly #topics = new Map<string, Promise<Topic>>();
  #users = 0;
  #opening: Promise<void> | undefined;
  #closing: Promise<void> = Promise.resolve();

  constructor(folder: string) {
    this.folder = resolve(folder);
  }

  /** Takes the folder for this process, for as long as anybody uses it. */
  async open(): Promise<void> {
    this.#users += 1;
    this.#opening ??= this.#closing.then(() => this.#lock());
    try {
      await this.#opening;
    } catch (error) {
      this.#users -= 1;
      this.#opening = undefined;
      throw error;
    }
  }

  async release(): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#opening = undefined;
    this.#closing = this.#close();
    await this.#closing;
  }

  /** The topic, made where missing. @throws {MessagingError} `CONFLICT` when it stands with other settings */
  async topic(namespace: string, { name, keyed, oneLane = false }: TopicSpec): Promise<Topic> {
    const topic = await this.#topic(this.#path(namespace, name), { keyed, oneLane });
    const there = describe(topic.settings);
    const asked = describe({ keyed, oneLane });
    if (there === asked) return topic;
    throw new MessagingError(
      'CONFLICT',
      `Topic '${name}' exists as ${there}, asked was ${asked}. Define it the same way everywhere, or choose another name.`,
      { adapter: 'file' },
    );
  }

  // #region people
  /** Looks at the file, so it is right whoever made the topic, and opens nothing that would have to be closed. */
  exists(namespace: string, name: string): Promise<boolean> {
    return Topic.stands(this.#path(namespace, name));
  }

  async topics(namespace: string): Promise<readonly string[]> {
    const files = await readdir(join(this.folder, fileName(namespace))).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return files.map(nameOf);
  }

  /** @throws {MessagingError} `NOT_FOUND` */
  async groups(namespace: string, name: string): Promise<readonly GroupStanding[]> {
    if (!(await this.exists(namespace, name))) {
      const known = (await this.topics(namespace)).join(', ') || 'none yet';
      throw new MessagingError('NOT_FOUND', `There is no topic '${name}'; there are: ${known}.`, { adapter: 'file' });
    }
    // It stands, so its settings are read, not written.
    const topic = await this.#topic(this.#path(namespace, name), { keyed: false, oneLane: false });
    return topic.standings();
  }
  // #endregion

  #path(namespace: string, name: string): string {
    return join(this.folder, fileName(namespace), fileName(name));
  }

  #topic(path: string, settings: Settings): Promise<Topic> {
    let opening = this.#topics.get(path);
    if (opening === undefined) {
      opening = Topic.open(path, settings);
      this.#topics.set(path, opening);
      opening.catch(() => this.#topics.delete(path));
    }
    return opening;
  }

  get #lockFile(): string {
    return join(this.folder, 'lock');
  }

  /** Two processes that start in the same moment after a crash could both pass: a product would take a lock of the system. */
  async #lock(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const holder = Number(await readFile(this.#lockFile, 'utf8').catch(() => '0'));
    if (holder > 0 && !isAlive(holder)) await rm(this.#lockFile);
    try {
      await writeFile(this.#lockFile, String(process.pid), { flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const message = `Folder ${this.folder} is in use by process ${holder}. Stop it, or choose another folder.`;
      throw new MessagingError('CONFLICT', message, { adapter: 'file', cause: error });
    }
  }

  async #close(): Promise<void> {
    const topics = await Promise.all(this.#topics.values());
    this.#topics.clear();
    await Promise.all(topics.map((topic) => topic.close()));
    await rm(this.#lockFile);
  }
}

const describe = ({ keyed, oneLane }: Settings): string =>
  `${keyed ? 'keyed' : 'not keyed'}${oneLane ? ', in one lane' : ''}`;

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
