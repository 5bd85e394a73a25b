// What a process of its own imports: the contract starts some, to see that they end by themselves.
import { file, Store } from '../src/index.js';

const stores = new Map<string, Store>();

/** All of one process meet in one store: a folder belongs to one process at a time. */
export function configure({ folder }: { readonly folder: string }) {
  const store = stores.get(folder) ?? new Store(folder);
  stores.set(folder, store);
  return file(store);
}
