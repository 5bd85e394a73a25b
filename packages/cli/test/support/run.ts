import { CliError, EXIT } from '../../src/errors.js';
import type { Io } from '../../src/io.js';
import { main } from '../../src/main.js';
import { FakeMessaging } from './fake-messaging.js';

/** What a test says about the world around the command. */
export interface World {
  readonly stdin?: string;
  readonly terminal?: boolean;
  readonly answer?: string;
  readonly now?: () => number;
}

/** A command's run: what it wrote, and how it ended. */
export class Run {
  readonly messaging = new FakeMessaging();
  stdout = '';
  stderr = '';
  questions: string[] = [];
  readonly #abort = new AbortController();
  readonly #world: World;

  constructor(world: World = {}) {
    this.#world = world;
  }

  /** Ctrl-C. */
  interrupt(): void {
    this.#abort.abort(new CliError(EXIT.interrupted, 'Interrupted.'));
  }

  readonly anymq = (...args: string[]): Promise<number> => main(args, this.#io(), this.messaging.open);

  get lines(): readonly unknown[] {
    return this.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  }

  #io(): Io {
    const { stdin = '', terminal = false, answer = '', now = () => 0 } = this.#world;
    return {
      stdin: chunksOf(stdin),
      stdinIsTTY: terminal,
      stderrIsTTY: terminal,
      write: async (text) => {
        this.stdout += text;
      },
      report: (text) => {
        this.stderr += text;
      },
      ask: async (question) => {
        this.questions.push(question);
        return answer;
      },
      interrupted: this.#abort.signal,
      now,
    };
  }
}

/** Small chunks: lines and characters are cut anywhere. */
async function* chunksOf(text: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 3) yield bytes.subarray(at, at + 3);
}
