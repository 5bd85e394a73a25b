import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContractTarget, OpenTarget } from '@anymq/contract-kit';
import { file, Store } from '../src/index.js';

const NOWHERE = '/dev/null/there-is-no-folder-here';

// #region target
async function open(): Promise<OpenTarget> {
  const folder = await mkdtemp(join(tmpdir(), 'anymq-file-'));
  const store = new Store(folder);
  return {
    // All of a run meet in one store, as processes meet at one broker.
    configure: () => file(store),
    unreachable: () => file(new Store(NOWHERE)),
    // For processes of their own, which must end by themselves.
    process: () => ({
      module: new URL('./process.js', import.meta.url).href,
      connection: { folder: join(folder, 'process') },
      unreachable: { folder: NOWHERE },
    }),
    about: () => ({ adapter: 'file-adapter 0.1.0', broker: `${process.platform} files` }),
    cleanUp: (namespace) => rm(join(folder, namespace), { recursive: true, force: true }),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The adapter as the contract kit needs it. */
export const target: ContractTarget = { name: 'file', open };
// #endregion
