import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type GroupStanding, MessagingError, type OutgoingRecord, type ReceiverSpec } from '@anymq/core/adapter';
import { Group, type GroupLine } from './group.js';
import { Journal } from './journal.js';

/** A message as it stands in memory. Its offset is its place in the topic. */
export type Message = OutgoingRecord;

const FILE = 'messages.jsonl';

/** The first line of a topic's file. */
export interface Settings {
  readonly keyed: boolean;
  /** Everything in it is in one order, and has one owner at a time in each group. */
  readonly oneLane: boolean;
}
type StoredMessage = Omit<Message, 'body'> & { readonly body: string };

/** A topic: one file of messages, all of them in memory too, and a file for each of its groups. */
export class Topic {
  readonly settings: Settings;
  readonly #folder: string;
  readonly #journal: Journal<Settings | StoredMessage>;
  readonly #messages: Message[];
  /** Who wants to hear of new messages, besides the groups. */
  readonly listeners = new Set<() => void>();
  readonly #groups = new Map<string, Promise<Group>>();

  private constructor(
    folder: string,
    journal: Journal<Settings | StoredMessage>,
    settings: Settings,
    messages: Message[],
  ) {
    this.#folder = folder;
    this.#journal = journal;
    this.settings = settings;
    this.#messages = messages;
  }

  static stands = (folder: string): Promise<boolean> => Journal.stands(join(folder, FILE));

  static async open(folder: string, settings: Settings): Promise<Topic> {
    await mkdir(join(folder, 'groups'), { recursive: true });
    const { journal, lines } = await Journal.open<Settings | StoredMessage>(join(folder, FILE));
    if (lines.length === 0) await journal.append([settings]);
    const [kept = settings, ...messages] = lines as [Settings?, ...StoredMessage[]];
    return new Topic(folder, journal, kept, messages.map(fromDisk));
  }

  get messages(): readonly Message[] {
    return this.#messages;
  }

  /** Resolves with the offset of the first one. */
  async append(records: readonly OutgoingRecord[]): Promise<number> {
    await this.#journal.append(records.map(toDisk));
    // The journal resolves in the order of its lines, so a message's offset is the same after a restart.
    const first = this.#messages.length;
    this.#messages.push(...records);
    for (const group of this.#groups.values()) void group.then((one) => one.announce());
    for (const listener of this.listeners) listener();
    return first;
  }

  /** The group, made where missing. @throws {MessagingError} `CONFLICT` when its members agreed on something else */
  async group({ group: name, startFrom, charter, topic }: ReceiverSpec): Promise<Group> {
    const group = await this.#group(name, { from: startFrom === 'earliest' ? 0 : this.#messages.length, charter });
    if (group.charter === charter) return group;
    throw new MessagingError(
      'CONFLICT',
      `Group '${name}' on topic '${topic.name}' agreed on '${group.charter}', this member brings '${charter}'. Subscribe the same way in every member, or use another group.`,
      { adapter: 'file' },
    );
  }

  async standings(): Promise<readonly GroupStanding[]> {
    const standings: GroupStanding[] = [];
    for (const file of await readdir(join(this.#folder, 'groups'))) {
      if (!(await Journal.stands(join(this.#folder, 'groups', file)))) continue;
      const group = nameOf(file.slice(0, -'.jsonl'.length));
      // It stands, so nothing is written where it begins.
      const { members, lag, inFlight } = await this.#group(group, { from: 0, charter: '' });
      standings.push({ group, members, lag, inFlight });
    }
    return standings;
  }

  async close(): Promise<void> {
    for (const group of this.#groups.values()) await (await group).close();
    await this.#journal.close();
  }

  #group(name: string, first: GroupLine): Promise<Group> {
    let opening = this.#groups.get(name);
    if (opening === undefined) {
      opening = this.#openGroup(name, first);
      this.#groups.set(name, opening);
      opening.catch(() => this.#groups.delete(name));
    }
    return opening;
  }

  async #openGroup(name: string, first: GroupLine): Promise<Group> {
    const file = join(this.#folder, 'groups', `${fileName(name)}.jsonl`);
    const { journal, lines } = await Journal.open<GroupLine>(file);
    if (lines.length === 0) await journal.append([first]);
    const lanes = this.settings.oneLane ? 1 : undefined;
    return new Group(this.#messages, journal, lines.length === 0 ? [first] : lines, lanes);
  }
}

const toDisk = ({ body, ...rest }: OutgoingRecord): StoredMessage => ({
  ...rest,
  body: Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('base64'),
});

const fromDisk = ({ body, ...rest }: StoredMessage): Message => ({
  ...rest,
  // JSON leaves out what is undefined; a record has it.
  key: rest.key,
  headers: rest.headers,
  body: Buffer.from(body, 'base64'),
});

/** Names that differ only in case must not meet on a disk that ignores case: `Ab` becomes `=ab`, and no name has a `=`. */
export const fileName = (name: string): string => name.replace(/[A-Z]/g, (letter) => `=${letter.toLowerCase()}`);

/** The way back. */
export const nameOf = (file: string): string => file.replace(/=(.)/g, (_, letter: string) => letter.toUpperCase());
