import { type CheckOptions, type CheckResult, Findings, named } from '../check.js';
import type { Disturbance } from '../disturbances.js';
import type { GroupHistory, History } from '../history.js';
import { type Letters, lettersOf } from '../letters.js';
import { acked, rejected } from './delivered.js';

/** What a redrive promises. */
const REDRIVING_AT_ONCE = 64;

/**
 * What was given up has exactly one letter until it is redriven, and nothing else has one. With `redriven` none may be left. Cannot
 * tell when nobody listed the letters of a group that gave something up.
 */
export function checkLetters(history: History, options: CheckOptions = {}): CheckResult {
  const findings = new Findings();
  const figures = { givenUp: 0, letters: 0 };
  let blind: string | undefined;
  for (const group of history.groups.values()) {
    const letters = lettersOf(history, group.name);
    const givenUp = [...group.byId.keys()].filter((id) => rejected(group, id));
    figures.givenUp += givenUp.length;
    figures.letters += letters.listed.size;
    if (givenUp.length > 0) blind ??= notListed(group.name, letters);
    if (letters.listing === undefined) continue;
    for (const id of givenUp) if (isMissing(group, id, letters)) without(findings, group, id);
    judgeListed(findings, group, letters, options.redriven === true);
  }
  return findings.result('letters', figures, blind ?? idle(figures, options));
}

function idle({ givenUp }: { readonly givenUp: number }, { redriven }: CheckOptions): string | undefined {
  return redriven === true && givenUp === 0 ? 'nothing was given up' : undefined;
}

function notListed(group: string, { listing, listed }: Letters): string | undefined {
  if (listing === undefined) return `nobody listed the letters of group '${group}'`;
  const found = [...listed.values()].flat().length;
  return found === listing.count ? undefined : `of ${listing.count} letters of group '${group}' ${found} are on record`;
}

/** Neither kept nor given back. */
const isMissing = (group: GroupHistory, id: string, { listed, redrives }: Letters): boolean =>
  !listed.has(id) && !redrives.has(id) && !acked(group, id);

function without(findings: Findings, group: GroupHistory, id: string): void {
  const calls = (group.byId.get(id) ?? []).flatMap(({ begin, end }) => [begin, end]);
  findings.add(`'${id}' was given up in group '${group.name}' and has no letter`, { id }, calls);
}

function judgeListed(findings: Findings, group: GroupHistory, { listed }: Letters, redriven: boolean): void {
  for (const [id, events] of listed) {
    const shown = [...(group.byId.get(id) ?? []).flatMap(({ begin, end }) => [begin, end]), ...events];
    const add = (what: string): void => findings.add(`'${id}' ${what}, group '${group.name}'`, { id }, shown);
    if (!rejected(group, id)) add('has a letter, and nobody gave it up');
    if (events.length > 1) add(`has ${events.length} letters`);
    if (redriven) add('has a letter left, though all were redriven');
  }
}

/**
 * A letter is redriven once, and once more only if who redrove it was killed before it was removed; and no more than
 * `redrivingAtOnce` were in flight at each such kill.
 */
export function checkRedrives(history: History, options: CheckOptions = {}): CheckResult {
  const findings = new Findings();
  const figures = { redriven: 0, redrivenAgain: 0, redrivingAtKills: 0 };
  const kills = history.disturbances.filter(({ kind }) => kind === 'killed');
  for (const group of history.groups.values()) {
    const letters = lettersOf(history, group.name);
    figures.redriven += letters.redrives.size;
    figures.redrivenAgain += [...letters.redrives.values()].filter(({ length }) => length > 1).length;
    judgeRepeated(findings, group, letters, kills);
    for (const kill of kills) {
      const most = options.redrivingAtOnce ?? REDRIVING_AT_ONCE;
      const inFlight = inFlightAt(kill, letters);
      figures.redrivingAtKills += inFlight;
      if (inFlight <= most) continue;
      const what = `${inFlight} letters of group '${group.name}' were in flight when '${kill.name}' was killed, more than ${most}`;
      findings.add(what, {}, [kill.begin]);
    }
  }
  const idle = options.redriven === true && figures.redriven === 0 ? 'nothing was redriven' : undefined;
  return findings.result('redrives', figures, idle);
}

const inFlightAt = ({ name, from }: Disturbance, { redrives }: Letters): number =>
  [...redrives.values()].flat().filter(({ process, removedAt }) => process === name && removedAt > from).length;

function judgeRepeated(
  findings: Findings,
  group: GroupHistory,
  { redrives, kept }: Letters,
  kills: readonly Disturbance[],
): void {
  for (const [id, all] of redrives) {
    for (const [i, { begin }] of all.entries()) {
      const before = all[i - 1];
      if (before === undefined) continue;
      const cut = kills.some(({ name, from }) => name === before.process && from <= begin.t && before.removedAt > from);
      const again = kept.get(id)?.some(({ t }) => t > before.begin.t && t < begin.t) ?? false;
      if (cut || again) continue;
      const about = { id, key: group.byId.get(id)?.[0]?.key };
      const what = `${named(about)} was redriven again by '${begin.process}', group '${group.name}', though '${before.process}' was not killed with it in flight`;
      findings.add(what, about, [before.begin, begin]);
    }
  }
}
