// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Control characters other than tab and line feed as `\u001b`: what a stranger sent must not steer somebody's terminal. */
export const visible = (text: string): string =>
  text.replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The same in one line of at most `length` characters. */
export function short(text: string, length: number): string {
  const line = visible(text).replace(/\s+/g, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length - 3)}...`;
}
