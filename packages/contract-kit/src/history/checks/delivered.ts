import { type CheckOptions, type CheckResult, Findings, named } from '../check.js';
import type { GroupHistory, History, Send } from '../history.js';
import { type Letters, lettersOf } from '../letters.js';

/** Groups that are judged: those asked for and those the history names. */
export function groupsOf(history: History, options: CheckOptions): GroupHistory[] {
  const names = options.groups ?? [...history.groups.keys()];
  return names.map((name) => history.groups.get(name) ?? { name, calls: [], byId: new Map() });
}

/** Whether a call of the message ended with `ack` in the group. */
export const acked = (group: GroupHistory, id: string): boolean =>
  group.byId.get(id)?.some(({ end }) => end?.outcome === 'ack') ?? false;

/** Acknowledged, or given up and there as a letter at the end. */
export const ended = (group: GroupHistory, id: string, letters: Letters): boolean =>
  acked(group, id) || (letters.listed.has(id) && rejected(group, id));

/** Whether a call of the message gave it up in the group. */
export const rejected = (group: GroupHistory, id: string): boolean =>
  group.byId.get(id)?.some(({ end }) => end?.outcome === 'rejected') ?? false;

/** Every confirmed message was acknowledged, or is a dead letter, in every group. What `backlog` says still stands at the broker cannot be told. */
export function checkLost(history: History, options: CheckOptions = {}): CheckResult {
  const findings = new Findings();
  const groups = groupsOf(history, options);
  const confirmed = [...history.sends.values()].filter(({ outcome }) => outcome?.kind === 'sent');
  const pending = groups.filter((group) => {
    const missing = missingOf(group, confirmed, lettersOf(history, group.name));
    return !judgeGroup(group, missing, options.backlog?.[group.name] ?? 0, findings);
  });
  const figures = { sent: confirmed.length, groups: groups.length, lost: findings.violations.length };
  return findings.result('lost', figures, blind(groups, confirmed, pending));
}

const missingOf = (group: GroupHistory, confirmed: readonly Send[], letters: Letters): readonly Send[] =>
  confirmed.filter(({ id }) => !ended(group, id, letters));

/** False when what is missing may all still stand at the broker. */
function judgeGroup(group: GroupHistory, missing: readonly Send[], backlog: number, findings: Findings): boolean {
  if (missing.length > 0 && missing.length <= backlog) return false;
  for (const send of missing) {
    const calls = group.byId.get(send.id) ?? [];
    const how =
      calls.length === 0 ? 'never handled' : `handled ${calls.length} times, never acknowledged, and is no dead letter`;
    const shown = calls.flatMap(({ begin, end }) => [begin, end]);
    findings.add(`${named(send)} was confirmed but ${how} in group '${group.name}'`, send, [
      send.sending,
      send.outcome,
      ...shown,
    ]);
  }
  return true;
}

function blind(groups: readonly GroupHistory[], confirmed: readonly Send[], pending: readonly GroupHistory[]) {
  if (groups.length === 0) return 'no group is named';
  if (confirmed.length === 0) return 'nothing was confirmed';
  if (pending.length === 0) return undefined;
  return `messages still stand at the broker for ${pending.map(({ name }) => `'${name}'`).join(', ')}`;
}

/** What was handled is what was sent: its id was attempted, before, with this key and number. */
export function checkPhantom(history: History): CheckResult {
  const findings = new Findings();
  for (const { name, calls } of history.groups.values()) {
    for (const call of calls) {
      const send = history.sends.get(call.id);
      const wrong = strangeness(send, call.begin);
      if (wrong === undefined) continue;
      findings.add(`${named(call)} was handled in group '${name}' but ${wrong}`, call, [send?.sending, call.begin]);
    }
  }
  return findings.result('phantom', { phantoms: findings.violations.length });
}

function strangeness(send: Send | undefined, begin: { t: number; key?: string; n: number }): string | undefined {
  if (send === undefined) return 'nobody sent it';
  if (send.sending.t > begin.t) return 'it was sent only later';
  if (send.key !== begin.key) return `it was sent with ${send.key === undefined ? 'no key' : `key '${send.key}'`}`;
  return send.n === begin.n ? undefined : `it was sent as number ${send.n}, not ${begin.n}`;
}

/** What definitely failed never arrives. */
export function checkRefused(history: History): CheckResult {
  const findings = new Findings();
  let refused = 0;
  for (const send of history.sends.values()) {
    if (send.outcome?.kind !== 'refused') continue;
    refused += 1;
    for (const group of history.groups.values()) {
      const call = group.byId.get(send.id)?.[0];
      if (call === undefined) continue;
      const what = `${named(send)} was refused with ${send.outcome.code} but arrived in group '${group.name}'`;
      findings.add(what, send, [send.sending, send.outcome, call.begin]);
    }
  }
  return findings.result('refused-but-delivered', { refused });
}
