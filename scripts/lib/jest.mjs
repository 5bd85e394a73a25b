import { run } from './process.mjs';

/**
 * Runs compiled tests whose path matches one of `match` (default: all) and none of `ignore`. `serial` for what shares a
 * broker. Resolves with whether all passed.
 */
export async function jest({ match = [], ignore = [], serial = false, results = undefined }) {
  const args = [
    '--experimental-vm-modules',
    '--enable-source-maps',
    '--no-warnings',
    'node_modules/jest/bin/jest.js',
    '--passWithNoTests=false',
  ];
  for (const pattern of ignore) args.push('--testPathIgnorePatterns', pattern);
  if (serial) args.push('--runInBand');
  const env = results === undefined ? {} : { ANYMQ_TEST_RESULTS_DIR: results };
  return (await run('node', [...args, ...match], { env })) === 0;
}
