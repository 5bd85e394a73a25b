import { readFileSync } from 'node:fs';
import { run } from './process.mjs';

/**
 * Runs compiled tests whose path matches one of `match` (default: all) and none of `ignore`. `serial` for what shares a
 * broker; `json`: a file for what came out; `env`: variables beside this process's own. Resolves with whether all passed.
 */
export async function jest({
  match = [],
  ignore = [],
  serial = false,
  results = undefined,
  json = undefined,
  env = {},
}) {
  const args = [
    '--experimental-vm-modules',
    '--enable-source-maps',
    '--no-warnings',
    'node_modules/jest/bin/jest.js',
    '--passWithNoTests=false',
  ];
  for (const pattern of ignore) args.push('--testPathIgnorePatterns', pattern);
  if (serial) args.push('--runInBand');
  if (json !== undefined) args.push('--json', '--outputFile', json);
  const forResults = results === undefined ? {} : { ANYMQ_TEST_RESULTS_DIR: results };
  return (await run('node', [...args, ...match], { env: { ...env, ...forResults } })) === 0;
}

/** Names of the tests that failed, with the first lines of why. */
export function failedTests(json) {
  const { testResults } = JSON.parse(readFileSync(json, 'utf8'));
  return testResults.flatMap(({ name, message, assertionResults }) => {
    const failed = assertionResults.filter(({ status }) => status === 'failed');
    if (failed.length === 0) return message === '' ? [] : [`${name}: ${firstLines(message)}`];
    return failed.map(({ fullName, failureMessages }) => `${fullName}: ${firstLines(failureMessages.join('\n'))}`);
  });
}

const firstLines = (text) => text.split('\n').slice(0, 4).join(' ').slice(0, 500);
