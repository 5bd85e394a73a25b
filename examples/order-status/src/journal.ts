import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Entry } from './ledger.js';

/** Where a service's journal is. */
export const journalFile = (folder: string, service: string): string => join(folder, `${service}.jsonl`);

/** A line without its end was being written when the process died: nobody has relied on it. */
export function wholeLines(bytes: Buffer): { readonly entries: Entry[]; readonly size: number } {
  const size = bytes.lastIndexOf('\n') + 1;
  const lines = bytes.toString('utf8', 0, size).split('\n').slice(0, -1);
  return { entries: lines.map((line) => JSON.parse(line) as Entry), size };
}

interface Waiting {
  readonly text: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A service's memory: a file of JSON lines that is only appended to. What `append` resolved for survives SIGKILL. */
export class Journal {
  readonly #file: FileHandle;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #closed: unknown;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Creates the file where missing. */
  static async open(path: string): Promise<{ readonly journal: Journal; readonly entries: readonly Entry[] }> {
    const file = await open(path, 'a');
    const { entries, size } = wholeLines(await readFile(path));
    await file.truncate(size);
    return { journal: new Journal(file), entries };
  }

  /** Resolves when the entries are on the disk. Those of many callers share a write and a sync. */
  append(...entries: readonly Entry[]): Promise<void> {
    const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) return reject(this.#closed);
      this.#waiting.push({ text, resolve, reject });
      this.#writing ??= this.#writeAll().finally(() => {
        this.#writing = undefined;
      });
    });
  }

  /** What waits for its write is rejected, as is every later append; a write that has begun ends. */
  async close(): Promise<void> {
    this.#closed ??= new Error('The journal is closed.');
    await this.#writing;
    await this.#file.close();
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        // Half a line may stand on the disk after a failure: nothing must be glued to it.
        if (this.#closed !== undefined) throw this.#closed;
        await this.#file.appendFile(batch.map(({ text }) => text).join(''));
        await this.#file.datasync();
        for (const { resolve } of batch) resolve();
      } catch (error) {
        this.#closed ??= error;
        for (const { reject } of batch) reject(error);
      }
    }
  }
}
