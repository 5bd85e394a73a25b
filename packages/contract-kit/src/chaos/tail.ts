import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Reads on in a file that others append lines to. */
export class Tail {
  readonly #fd: number;
  #at = 0;
  #rest = '';

  constructor(file: string) {
    // Made if it is not there yet would be in the writer's way: it opens only once it is.
    this.#fd = openSync(file, 'r');
  }

  /** Lines that are complete and new. */
  lines(): readonly string[] {
    const size = fstatSync(this.#fd).size - this.#at;
    if (size <= 0) return [];
    const bytes = Buffer.alloc(size);
    this.#at += readSync(this.#fd, bytes, 0, size, this.#at);
    const lines = (this.#rest + bytes.toString('latin1')).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines;
  }

  close(): void {
    closeSync(this.#fd);
  }
}
