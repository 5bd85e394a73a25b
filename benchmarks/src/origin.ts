import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';

/** What a measurement is of, and where it was made. */
export interface Origin {
  /** ISO 8601. */
  readonly at: string;
  /** Of the code, short; with a `+` where code of the working tree differs from it. */
  readonly commit: string;
  readonly machine: string;
}

/** Of what is measured now, in the working tree at `root`. */
export function originOf(root: string): Origin {
  const machine = `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model.trim()}`;
  return { at: new Date().toISOString(), commit: commitOf(root), machine };
}

function commitOf(root: string): string {
  const git = (...args: string[]): string =>
    spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? '';
  const commit = git('rev-parse', '--short', 'HEAD');
  if (commit === '') return 'no commit';
  return git('status', '--porcelain', '--', 'packages', 'benchmarks') === '' ? commit : `${commit}+`;
}
