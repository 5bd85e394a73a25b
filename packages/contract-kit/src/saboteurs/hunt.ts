import type { ContractCase } from '../case.js';
import { cases as all } from '../cases/index.js';
import { runContract } from '../runner.js';
import { over } from '../tamper.js';
import type { ContractTarget, OpenTarget } from '../target.js';
import type { Saboteur } from './saboteur.js';

/** How a saboteur came out. */
export interface Hunt {
  readonly saboteur: string;
  /** Ids of the cases that failed. */
  readonly killedBy: readonly string[];
  /** Ids of the cases that passed all the same. */
  readonly survived: readonly string[];
}

/** The target, its adapter broken wherever it is configured. */
export function sabotaged(target: OpenTarget, { sabotage }: Pick<Saboteur, 'sabotage'>): OpenTarget {
  const { unauthorised, checking, proxied, outage } = target;
  return over(target, {
    configure: () => sabotage(target.configure()),
    unreachable: () => sabotage(target.unreachable()),
    ...(unauthorised && { unauthorised: (secret) => sabotage(unauthorised.call(target, secret), { secret }) }),
    ...(checking && { checking: () => sabotage(checking.call(target)) }),
    ...(proxied && { proxied: async () => breaking(await proxied.call(target), sabotage) }),
    ...(outage && { outage: () => breaking(outage.call(target), sabotage) }),
  });
}

const breaking = <T extends Pick<OpenTarget, 'configure'>>(way: T, sabotage: Saboteur['sabotage']): T =>
  over(way, { configure: () => sabotage(way.configure()) } as Partial<T>);

/**
 * Runs cases against a sabotaged adapter, on a target of its own.
 *
 * @param options.cases @default those that must kill it
 * @param options.timeoutMs most time of one case: many kill by their deadline
 */
export async function hunt(
  target: ContractTarget,
  saboteur: Saboteur,
  options: { readonly cases?: readonly ContractCase[]; readonly timeoutMs?: number } = {},
): Promise<Hunt> {
  const { cases = all.filter(({ id }) => saboteur.killedBy.includes(id)), timeoutMs = 6_000 } = options;
  const opened = await target.open();
  try {
    const results = await runContract(sabotaged(opened, saboteur), { cases, timeoutMs });
    const withStatus = (status: string): string[] =>
      results.filter((result) => result.status === status).map(({ id }) => id);
    return { saboteur: saboteur.name, killedBy: withStatus('failed'), survived: withStatus('passed') };
  } finally {
    await opened.close?.();
  }
}
