/** The brokers of a configuration, from what was written about each to an adapter that can connect. */
import type { AdapterPackage, ConfiguredAdapter } from '../adapter/spi.js';
import { loadAdapter } from './adapters.js';
import {
  BROKERS_PREFIX,
  brokerOfAdapterVariable,
  brokerVariable,
  type Context,
  isBrokerVariable,
  override,
  suggestVariable,
  type Variable,
} from './environment.js';
import { check } from './issues.js';
import { indexOptions, type OptionIndex } from './options.js';
import { found, isRecord, type Origins, Problems, reasonOf } from './problems.js';
import { BROKER_NAME_RULE, isBrokerName, isConfiguredAdapter } from './schema.js';
import { environmentName, listed } from './words.js';

/** A broker on its way. Belongs to one call of `resolveConfiguration`. */
export interface Draft {
  readonly name: string;
  /** Given ready: nothing is left to do. */
  readonly ready: ConfiguredAdapter | undefined;
  /** Empty when it is a problem. */
  readonly adapterName: string;
  /** As written, without `adapter`. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Variables that set options of it. */
  readonly variables: Variable[];
  /** Once loaded. */
  package?: AdapterPackage;
  index?: OptionIndex;
}

/** Brokers by name, their outer shape checked, those included that only the environment knows. */
export function draftBrokers(written: unknown, variables: readonly Variable[], context: Context): Map<string, Draft> {
  const brokers = new Map<string, unknown>(isRecord(written) ? Object.entries(written) : []);
  for (const variable of variables) setAdapter(brokers, variable, context);
  return new Map([...brokers].map(([name, value]) => [name, draftOf(name, value, context)]));
}

function setAdapter(brokers: Map<string, unknown>, variable: Variable, { problems, origins }: Context): void {
  const part = brokerOfAdapterVariable(variable);
  if (part === undefined) return;
  const named = [...brokers.keys()].filter((name) => environmentName(name) === part);
  if (named.length > 1) {
    problems.add(`${variable.name} in the environment may mean broker ${named.join(' or ')}. Rename one of them`);
    return;
  }
  const name = named[0] ?? part.toLowerCase().replaceAll('_', '-');
  const value = brokers.get(name);
  if (isConfiguredAdapter(value)) {
    problems.add(
      `${variable.name}: ${origins.place(['brokers', name])} is a ready adapter, which no variable can change`,
    );
    return;
  }
  // Something else stands there, which is a problem of its own.
  if (value !== undefined && !isRecord(value)) return;
  if (value === undefined) origins.brokerFromEnvironment(name);
  origins.override(['brokers', name, 'adapter'], variable.name);
  brokers.set(name, { ...value, adapter: variable.text });
}

const SHAPE = "expected { adapter: 'name', ...its options } or a ready adapter, like the result of kafka({...})";
const ADAPTER_SHAPE = 'expected the name of an adapter: kafka, rabbitmq, rocketmq, memory or a package';

function draftOf(name: string, value: unknown, { problems, origins }: Context): Draft {
  const path = ['brokers', name];
  const place = origins.place(path);
  if (!isBrokerName(name)) problems.add(`${place}: '${name}' is no name for a broker; ${BROKER_NAME_RULE}`);
  const nothing: Draft = { name, ready: undefined, adapterName: '', options: {}, variables: [] };
  if (isConfiguredAdapter(value)) return { ...nothing, ready: value, adapterName: value.name };
  if (!isRecord(value)) {
    problems.add(`${place}: found ${found(value, path)}; ${SHAPE}`);
    return nothing;
  }
  const { adapter, ...options } = value;
  if (typeof adapter === 'string' && adapter.trim() !== '') return { ...nothing, adapterName: adapter, options };
  const at = [...path, 'adapter'];
  problems.add(`${origins.place(at)}: found ${found(adapter, at)}; ${ADAPTER_SHAPE}`);
  return nothing;
}

/** Imports the adapter and reads which options it has. */
export async function loadDraft(draft: Draft, folder: string, { problems, origins }: Context): Promise<void> {
  if (draft.ready !== undefined || draft.adapterName === '') return;
  const place = origins.place(['brokers', draft.name, 'adapter']);
  const loaded = await loadAdapter({ name: draft.adapterName, place, folder }, problems);
  if (loaded === undefined) return;
  draft.package = loaded;
  draft.index = indexOptions(loaded.optionsSchema);
}

/** Gives every broker variable to the one broker that it is about. */
export function assignVariables(
  drafts: ReadonlyMap<string, Draft>,
  variables: readonly Variable[],
  { problems }: Context,
): void {
  const all = [...drafts.values()];
  for (const variable of variables.filter(isBrokerVariable)) {
    const owners = ownersOf(all, variable);
    const adapter = brokerOfAdapterVariable(variable);
    const places = [
      ...(adapter === undefined ? [] : [`the adapter of broker ${adapter}`]),
      ...owners.map(({ name }) => `an option of broker ${name}`),
    ];
    if (places.length > 1) {
      problems.add(`${variable.name} in the environment may mean ${places.join(' or ')}. Rename one of the brokers`);
    } else if (adapter === undefined && owners.length === 0) {
      const problem = strayVariable(all, variable);
      if (problem !== undefined) problems.add(problem);
    } else owners[0]?.variables.push(variable);
  }
}

const isPrefixOf = ({ name }: Draft, variable: Variable): boolean => variable.name.startsWith(brokerVariable(name, ''));

const suffixOf = ({ name }: Draft, variable: Variable): string => variable.name.slice(brokerVariable(name, '').length);

/** Brokers that know the option; when none does, the one with the longest fitting name whose options are not known yet. */
function ownersOf(drafts: readonly Draft[], variable: Variable): readonly Draft[] {
  const fitting = drafts.filter((draft) => isPrefixOf(draft, variable));
  const knowing = fitting.filter((draft) => draft.index?.has(suffixOf(draft, variable)) === true);
  if (knowing.length > 0 || brokerOfAdapterVariable(variable) !== undefined) return knowing;
  const open = fitting.filter((draft) => draft.index === undefined && draft.ready === undefined);
  const shortest = Math.min(...open.map((draft) => suffixOf(draft, variable).length));
  return open.filter((draft) => suffixOf(draft, variable).length === shortest);
}

/** What to say about a variable that no broker has an option for. */
function strayVariable(drafts: readonly Draft[], variable: Variable): string | undefined {
  const fitting = drafts.filter((draft) => isPrefixOf(draft, variable));
  const ready = fitting.find((draft) => draft.ready !== undefined);
  if (ready !== undefined)
    return `${variable.name}: broker ${ready.name} is a ready adapter, which no variable can change`;
  const known = fitting.flatMap(variablesOf);
  const near = suggestVariable(variable.name, drafts.flatMap(variablesOf));
  if (fitting.length > 0) {
    const names = fitting.map(({ name, adapterName }) => `${name} (${adapterName})`).join(' and ');
    return `${variable.name} in the environment: this is no option of broker ${names}.${near || ` Known: ${listed(known)}.`}`;
  }
  const brokers = listed(drafts.map(({ name }) => name));
  return `${variable.name} in the environment: a variable under ${BROKERS_PREFIX} names a broker and an option of it; brokers: ${brokers}.${near}`;
}

const variablesOf = ({ name, index }: Draft): readonly string[] =>
  ['ADAPTER', ...(index?.keys() ?? [])].map((option) => brokerVariable(name, option));

/** Overrides, checks and configures one broker whose adapter was loaded. Undefined after a problem. */
export async function configureDraft(draft: Draft, context: Context): Promise<ConfiguredAdapter | undefined> {
  const { name, ready, package: loaded } = draft;
  if (ready !== undefined || loaded === undefined) return ready;
  const at = ['brokers', name];
  const options = await override(draft.options, at, pendingOf(draft, context), context);
  context.problems.conceal(options);
  const checked = await check(loaded.optionsSchema, options, at, context);
  return checked === undefined ? undefined : configure(draft, loaded, checked, context);
}

function pendingOf(draft: Draft, { problems }: Context) {
  return draft.variables.flatMap((variable) => {
    const options = draft.index?.get(suffixOf(draft, variable));
    if (options !== undefined) return [{ variable, options }];
    const problem = strayVariable([draft], variable);
    if (problem !== undefined) problems.add(problem);
    return [];
  });
}

function configure(
  { name, adapterName }: Draft,
  loaded: AdapterPackage,
  options: unknown,
  { problems, origins }: Context,
): ConfiguredAdapter | undefined {
  const place = origins.place(['brokers', name]);
  try {
    const adapter = loaded.configure(options);
    if (isConfiguredAdapter(adapter)) return adapter;
    problems.add(
      `${place}: configure() of adapter '${adapterName}' returned ${found(adapter, [])}; expected { name, capabilities, create }`,
    );
  } catch (error) {
    problems.add(`${place}: adapter '${adapterName}' refuses these options: ${reasonOf(error)}`, error);
  }
  return undefined;
}

/** `brokers.office in /app/anymq.config.json and ANYMQ_BROKERS_OFFICE_URL`. */
export function originOf({ name, variables }: Draft, { origins }: Context): string {
  const path = ['brokers', name];
  const names = new Set([...origins.variablesUnder(path), ...variables.map((variable) => variable.name)]);
  return [origins.place(path), ...(origins.isFromEnvironment(name) ? [] : names)].join(' and ');
}

/** For a broker that was not needed at first: the same steps, later. Rejects with `INVALID_CONFIG`. */
export async function configureLater(draft: Draft, folder: string, origins: Origins): Promise<ConfiguredAdapter> {
  const context: Context = { origins, problems: new Problems() };
  context.problems.conceal(draft.options);
  await loadDraft(draft, folder, context);
  const adapter = await configureDraft(draft, context);
  context.problems.throwIfAny();
  return adapter ?? context.problems.refuse();
}
