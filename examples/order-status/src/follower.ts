import { type FileHandle, open } from 'node:fs/promises';
import { wholeLines } from './journal.js';
import { Ledger } from './ledger.js';

const CHUNK_BYTES = 1024 * 1024;

/** Reads a journal that somebody else writes, maybe in another process. */
export class Follower implements AsyncDisposable {
  readonly ledger = new Ledger();
  readonly #file: FileHandle;
  #read = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(path: string): Promise<Follower> {
    return new Follower(await open(path, 'a+'));
  }

  /** Takes up what was written since the last call. */
  async refresh(): Promise<void> {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await this.#file.read(chunk, 0, CHUNK_BYTES, this.#read);
      const { entries, size } = wholeLines(chunk.subarray(0, bytesRead));
      for (const entry of entries) this.ledger.add(entry);
      this.#read += size;
      if (size === 0) return;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file.close();
  }
}
