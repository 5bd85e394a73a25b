import type { Link } from './link.js';

/** A use of a link. */
export interface Lease {
  readonly link: Link;
  /** @param broken the link failed: nobody gets it any more, and it is closed when its last user has left */
  release(broken: boolean): void;
}

interface Held {
  readonly link: Link;
  users: number;
}

/** One link for many users, replaced when it failed. */
export class SharedLink {
  readonly #open: () => Link;
  #current: Held | undefined;

  constructor(open: () => Link) {
    this.#open = open;
  }

  lease(): Lease {
    this.#current ??= { link: this.#open(), users: 0 };
    const held = this.#current;
    held.users += 1;
    return { link: held.link, release: (broken) => this.#release(held, broken) };
  }

  #release(held: Held, broken: boolean): void {
    held.users -= 1;
    if (broken && this.#current === held) this.#current = undefined;
    if (held.users === 0 && this.#current !== held) void held.link.close();
  }
}
