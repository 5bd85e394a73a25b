import { invalidArgument } from './errors.js';

/** `value` if it is an integer in [min, max], `fallback` if it is undefined. Throws `INVALID_ARGUMENT`. */
export function integerIn(name: string, value: number | undefined, min: number, max: number, fallback: number): number {
  if (value === undefined) return fallback;
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw invalidArgument(
    `${name} must be an integer from ${min} to ${max}, found ${typeof value === 'number' ? value : JSON.stringify(value)}.`,
  );
}

/** Refuses option names that mean nothing: a misspelt option must not be ignored. Throws `INVALID_ARGUMENT`. */
export function onlyKnown(what: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw invalidArgument(`${what} has no option '${name}'. It has: ${known.join(', ')}.`);
  }
}

/** Refuses anything but an object. Throws `INVALID_ARGUMENT`. */
export function checkObject(what: string, value: unknown): void {
  if (typeof value !== 'object' || value === null)
    throw invalidArgument(`${what} must be an object, found ${value === null ? 'null' : typeof value}.`);
}
