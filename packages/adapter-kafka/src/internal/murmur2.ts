const SEED = 0x9747b28c;
const M = 0x5bd1e995;
const R = 24;

/** The hash that Kafka's Java client chooses partitions by, of the first `length` bytes. A signed 32-bit number. */
export function murmur2(bytes: Uint8Array, length = bytes.length): number {
  let hash = SEED ^ length;
  const whole = length & ~3;
  for (let i = 0; i < whole; i += 4) {
    let word =
      byteAt(bytes, i) | (byteAt(bytes, i + 1) << 8) | (byteAt(bytes, i + 2) << 16) | (byteAt(bytes, i + 3) << 24);
    word = Math.imul(word, M);
    word ^= word >>> R;
    hash = Math.imul(hash, M) ^ Math.imul(word, M);
  }
  if (length > whole) {
    for (let i = length - 1; i >= whole; i--) hash ^= byteAt(bytes, i) << ((i - whole) * 8);
    hash = Math.imul(hash, M);
  }
  hash ^= hash >>> 13;
  hash = Math.imul(hash, M);
  return hash ^ (hash >>> 15);
}

const byteAt = (bytes: Uint8Array, index: number): number => bytes[index] as number;
