/** FNV-1a over UTF-16 code units: a stable, cheap spread of keys. 32 bits, not negative. */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  // FNV's low bits are weak for short keys that differ in one digit; partitions are chosen by the low bits.
  return (value ^ (value >>> 15)) >>> 0;
}
