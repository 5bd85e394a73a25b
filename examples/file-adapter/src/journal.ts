import { type FileHandle, open, readFile } from 'node:fs/promises';

/** Bytes: settings of a topic, or a charter of a group and where it begins. */
const LONGEST_FIRST_LINE = 1_024;

/** A file of JSON lines that is only ever appended to. What `append` resolved for survives kill -9 and a power cut. */
export class Journal<Line> {
  readonly #file: FileHandle;
  /** Bytes that are known to be whole lines on the disk. */
  #size: number;
  #last: Promise<void> = Promise.resolve();
  #broken: unknown;

  private constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.#size = size;
  }

  static async open<Line>(path: string): Promise<{ readonly journal: Journal<Line>; readonly lines: Line[] }> {
    const file = await open(path, 'a');
    const bytes = await readFile(path);
    // A line without its end was being written when the process died: nobody was told that it is stored.
    const size = bytes.lastIndexOf('\n') + 1;
    await file.truncate(size);
    const lines = bytes.toString('utf8', 0, size).split('\n').slice(0, -1);
    return { journal: new Journal<Line>(file, size), lines: lines.map((line) => JSON.parse(line) as Line) };
  }

  /** Is there a whole line? One that was being written when a process died is none. */
  static async stands(path: string): Promise<boolean> {
    const file = await open(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    if (file === undefined) return false;
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(LONGEST_FIRST_LINE), 0, LONGEST_FIRST_LINE, 0);
      return buffer.subarray(0, bytesRead).includes('\n');
    } finally {
      await file.close();
    }
  }

  // #region append
  /** Resolves when the lines are on the disk, in the order of the calls. After a rejection nobody knows. */
  append(lines: readonly Line[]): Promise<void> {
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    this.#last = this.#last.catch(() => {}).then(() => this.#store(text));
    return this.#last;
  }

  async #store(text: string): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken;
    try {
      await this.#file.appendFile(text);
      await this.#file.datasync();
      this.#size += Buffer.byteLength(text);
    } catch (error) {
      // Half a line may stand there; the next one must not be glued to it.
      await this.#file.truncate(this.#size).catch(() => {
        this.#broken = error;
      });
      throw error;
    }
  }
  // #endregion

  /** Nobody appends any more. */
  close(): Promise<void> {
    return this.#file.close();
  }
}
