import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the catalogue lacks at first. */
export const POISON_ARTICLE = 'hammock';
const SHELVES = { chair: 'A1', desk: 'A2', lamp: 'B1', shelf: 'B2' };

/** The stock's service was asked for something it has never heard of. */
export class UnknownArticle extends Error {
  override readonly name = 'UnknownArticle';
  readonly code = 'UNKNOWN_ARTICLE';
}

const fileIn = (folder: string): string => join(folder, 'catalogue.json');

/** The catalogue as it is at first: with a gap. */
export const writeCatalogue = (folder: string): Promise<void> =>
  writeFile(fileIn(folder), JSON.stringify(SHELVES, undefined, 2));

/** What a person does who has seen the dead letter. */
export const repairCatalogue = (folder: string): Promise<void> =>
  writeFile(fileIn(folder), JSON.stringify({ ...SHELVES, [POISON_ARTICLE]: 'C1' }, undefined, 2));

/** Where an article is. Rejects with {@link UnknownArticle}; the file is read each time, so a repair needs no restart. */
export async function shelfOf(folder: string, article: string): Promise<string> {
  const shelves = JSON.parse(await readFile(fileIn(folder), 'utf8')) as Record<string, string>;
  const shelf = shelves[article];
  if (shelf === undefined) throw new UnknownArticle(`The catalogue has no article '${article}'.`);
  return shelf;
}
