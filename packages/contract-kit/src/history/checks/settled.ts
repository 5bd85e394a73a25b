import { type CheckOptions, type CheckResult, Findings, named } from '../check.js';
import type { History } from '../history.js';
import { lettersOf } from '../letters.js';
import { ended, groupsOf } from './delivered.js';

/** What is known to be settled does not come again. */
export function checkFinality(history: History): CheckResult {
  const findings = new Findings();
  for (const { name, byId } of history.groups.values()) {
    for (const calls of byId.values()) {
      if (calls.length < 2) continue;
      const settled = calls.find(({ settledAt }) => settledAt !== undefined);
      const again = calls.find(({ begin }) => begin.t > (settled?.settledAt ?? Number.POSITIVE_INFINITY));
      if (settled === undefined || again === undefined) continue;
      findings.add(`${named(again)} came again in group '${name}' after it was settled`, again, [
        settled.begin,
        settled.end,
        again.begin,
      ]);
    }
  }
  return findings.result('finality', { resurrected: findings.violations.length });
}

/**
 * Nothing appears or disappears: what a group acknowledged or keeps as dead letters and what still stands at the broker is at least what was
 * confirmed, and at most that and the sends without a known outcome.
 */
export function checkConservation(history: History, options: CheckOptions = {}): CheckResult {
  const findings = new Findings();
  const sends = [...history.sends.values()];
  const confirmed = sends.filter(({ outcome }) => outcome?.kind === 'sent').length;
  const unsure = sends.filter(({ outcome }) => outcome === undefined || outcome.kind === 'unknown').length;
  for (const group of groupsOf(history, options)) {
    const letters = lettersOf(history, group.name);
    const done = [...group.byId.keys()].filter((id) => ended(group, id, letters)).length;
    const there = done + (options.backlog?.[group.name] ?? 0);
    if (there >= confirmed && there <= confirmed + unsure) continue;
    const what = `group '${group.name}' acknowledged or keeps ${done}, with what stands at the broker ${there}; confirmed were ${confirmed}, unsure ${unsure}`;
    findings.add(what, {}, []);
  }
  return findings.result('conservation', { confirmed, unsure });
}
