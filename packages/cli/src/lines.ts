/** Lines of a byte stream, without their ends; empty ones are left out. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest: string[] = [];
  for await (const chunk of chunks) {
    const [first = '', ...more] = decoder.decode(chunk, { stream: true }).split('\n');
    // Parts of a line are joined once: a long line in many chunks would cost the square of its length.
    rest.push(first);
    for (const next of more) {
      yield* complete(rest);
      rest = [next];
    }
  }
  rest.push(decoder.decode());
  yield* complete(rest);
}

function* complete(parts: readonly string[]): Generator<string> {
  const line = parts.join('').replace(/\r$/, '');
  if (line.trim() !== '') yield line;
}

/** All of a byte stream. */
export async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}
