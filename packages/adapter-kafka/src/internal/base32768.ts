/**
 * Bytes as text, 15 bits in each UTF-16 unit. Kafka limits a commit's metadata by the number of UTF-16 units, whatever their
 * bytes, so this stores 7.5 KB where base 64 stores 3. U+3400 to U+B3FF holds no surrogate.
 */
const FIRST = 0x3400;
const BITS = 15;
const SIZE = 1 << BITS;

/** Bytes that fit into `characters` characters. */
export const capacityOf = (characters: number): number => Math.floor((characters * BITS) / 8);

export function encode(bytes: readonly number[]): string {
  const units: number[] = [];
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    if (bits < BITS) continue;
    bits -= BITS;
    units.push(FIRST + (held >> bits));
    held &= (1 << bits) - 1;
  }
  if (bits > 0) units.push(FIRST + (held << (BITS - bits)));
  return String.fromCharCode(...units);
}

/** The bytes, perhaps with one zero byte more. Undefined for a text that {@link encode} cannot have made. */
export function decode(text: string): number[] | undefined {
  const bytes: number[] = [];
  let held = 0;
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    const value = text.charCodeAt(i) - FIRST;
    if (value < 0 || value >= SIZE) return undefined;
    held = (held << BITS) | value;
    bits += BITS;
    while (bits >= 8) {
      bits -= 8;
      bytes.push(held >> bits);
      held &= (1 << bits) - 1;
    }
  }
  return bytes;
}
