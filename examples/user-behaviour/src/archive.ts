import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DemoError } from './errors.js';
import type { BehaviourEvent } from './event.js';

/** A JSON-lines file that events are appended to, batch after batch, in the order of the calls. */
export class Archive implements AsyncDisposable {
  readonly file: string;
  readonly #handle: FileHandle;
  #last: Promise<void> = Promise.resolve();

  private constructor(file: string, handle: FileHandle) {
    this.file = file;
    this.#handle = handle;
  }

  /** Creates the file where missing; what it has is kept. Rejects with {@link DemoError}. */
  static async open(file: string): Promise<Archive> {
    try {
      return new Archive(file, await open(file, 'a'));
    } catch (error) {
      throw unwritable(file, error);
    }
  }

  /** Resolves when the events are in the file. After a failure nothing more is written: every call rejects. */
  append(events: readonly BehaviourEvent[]): Promise<void> {
    const text = events.map((event) => `${JSON.stringify(event)}\n`).join('');
    this.#last = this.#last.then(() => this.#write(text));
    return this.#last;
  }

  async #write(text: string): Promise<void> {
    try {
      await this.#handle.appendFile(text);
    } catch (error) {
      throw unwritable(this.file, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Whoever appended has been told of a failure.
    await this.#last.catch(() => {});
    await this.#handle.close();
  }
}

function unwritable(file: string, error: unknown): DemoError {
  if (error instanceof DemoError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new DemoError(`Cannot write the archive ${file}: there is no folder ${dirname(file)}.`);
  return new DemoError(`Cannot write the archive ${file}: ${message}.`);
}
