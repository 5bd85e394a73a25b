/** What a person wants to know of a broker's topics and groups. */
import type { GroupSummary, TopicSummary } from './contract.js';
import { Ledger } from './dead-letters/ledger.js';
import { codeOf, MessagingError } from './errors.js';
import { ask } from './system/ask.js';
import type { System } from './system/system.js';
import { inboxOf, SYSTEM, SYSTEM_GROUP } from './system/topics.js';

/** The topics of all brokers, by name. Rejects when one of them does not answer. */
export async function topicsOf(systems: Iterable<System>): Promise<readonly TopicSummary[]> {
  const found = await Promise.all([...systems].map((system) => system.track(topicsOn(system))));
  return found.flat().sort((a, b) => compare(a.name, b.name) || compare(a.broker, b.broker));
}

/** The groups of a topic, by name. */
export async function groupsOf(system: System, topic: string): Promise<readonly GroupSummary[]> {
  return system.track(summariesOf(system, topic));
}

async function summariesOf(system: System, topic: string): Promise<readonly GroupSummary[]> {
  const standings = await standingsOn(system, topic).catch((error) => {
    throw codeOf(error) === 'NOT_FOUND' ? noTopic(system, topic, error) : error;
  });
  const summaries: GroupSummary[] = [];
  // One after the other: a reader may cost the broker a connection, and there may be many groups.
  for (const standing of standings)
    if (standing.group !== SYSTEM_GROUP) summaries.push(await summaryOf(system, topic, standing));
  return summaries.sort((a, b) => compare(a.group, b.group));
}

function noTopic({ broker }: System, topic: string, cause: unknown): MessagingError {
  const message = `There is no topic '${topic}' on broker '${broker.name}'. topics() lists those there are.`;
  return new MessagingError('NOT_FOUND', message, { adapter: broker.configured.name, cause });
}

async function topicsOn(system: System): Promise<readonly TopicSummary[]> {
  const { name: broker } = system.broker;
  const names = await ask(system, (adapter) => adapter.topics(), `list the topics of '${broker}'`, system.closing);
  return names.filter((name) => !name.startsWith(SYSTEM)).map((name) => ({ name, broker }));
}

function standingsOn(system: System, topic: string): ReturnType<System['broker']['adapter']['groups']> {
  return ask(system, (adapter) => adapter.groups(topic), `list the groups of topic '${topic}'`, system.closing);
}

async function summaryOf(system: System, topic: string, standing: GroupSummary): Promise<GroupSummary> {
  const [retrying, dead] = await Promise.all([
    retryingOf(system, topic, standing.group),
    deadOf(system, topic, standing.group),
  ]);
  const { group, members, lag, inFlight } = standing;
  return { group, members, lag, inFlight, retrying, dead };
}

async function retryingOf(system: System, topic: string, group: string): Promise<number | undefined> {
  const inbox = inboxOf(topic, group, system.history);
  const what = `ask for topic '${inbox.name}'`;
  if (!(await ask(system, (adapter) => adapter.exists(inbox), what, system.closing))) return 0;
  const standings = await standingsOn(system, inbox.name);
  return standings.find((standing) => standing.group === group)?.lag;
}

async function deadOf(system: System, topic: string, group: string): Promise<number> {
  const ledger = new Ledger(system, { topic, group });
  if (!(await ledger.exists(system.closing))) return 0;
  const all = (): boolean => true;
  return (await ledger.letters(all, all, system.closing)).size;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
