/**
 * From the options of `createMessaging`, a configuration file and the environment to brokers and routes: everything checked,
 * every problem in one error, nothing connected, and no adapter imported that no topic goes to.
 */
import type { ConfiguredAdapter } from '../adapter/spi.js';
import type { MessagingOptions } from '../contract.js';
import {
  assignVariables,
  configureDraft,
  configureLater,
  type Draft,
  draftBrokers,
  loadDraft,
  originOf,
} from './brokers.js';
import { check } from './issues.js';
import { Problems } from './problems.js';
import { createRouter } from './routes.js';
import { configurationSchema, DEFAULT_CONNECT_TIMEOUT_MS, DEFAULT_NAMESPACE } from './schema.js';
import { gatherSources, type Sources } from './sources.js';
import { checkDefault, checkRoutes } from './targets.js';

export { type Configuration, defineConfig } from './schema.js';

/** A broker that topics go to: the default one, or the target of a route. */
export interface ResolvedBroker {
  readonly adapter: ConfiguredAdapter;
  /** Where it is configured, for errors: `brokers.office in /app/anymq.config.json`. Holds no credentials. */
  readonly origin: string;
}

/** A broker that no topic goes to. Only its outer shape was checked; its adapter was not imported. */
export interface UnusedBroker {
  /** Name of the adapter, as configured. */
  readonly adapterName: string;
  readonly origin: string;
  /** Imports the adapter and checks its options, once. Rejects with `INVALID_CONFIG`. */
  load(): Promise<ConfiguredAdapter>;
}

export interface ResolvedConfiguration {
  /** By name: those that topics go to. */
  readonly brokers: ReadonlyMap<string, ResolvedBroker>;
  readonly unused: ReadonlyMap<string, UnusedBroker>;
  /** Name of the broker of topics that no route names. */
  readonly default: string;
  /** Topic pattern to broker name. */
  readonly routes: Readonly<Record<string, string>>;
  /** Name of the broker of a topic. */
  route(topic: string): string;
  readonly namespace: string;
  readonly connectTimeoutMs: number;
}

/**
 * Reads and checks everything. What is given to `createMessaging` stands above the environment, and that above the file; with
 * `brokers` in code neither environment nor file is read. Rejects with one `INVALID_CONFIG` that lists every problem.
 */
export async function resolveConfiguration(options: MessagingOptions = {}): Promise<ResolvedConfiguration> {
  const problems = new Problems();
  const sources = await gatherSources(options, problems);
  if (sources === undefined) return problems.refuse();
  problems.conceal(sources.settings.brokers);
  return resolve(sources);
}

async function resolve(sources: Sources): Promise<ResolvedConfiguration> {
  const { settings, variables, noBrokers, context } = sources;
  const drafts = draftBrokers(settings.brokers, variables, context);
  const checked = await check(configurationSchema, settings, [], context);
  if (drafts.size === 0 && context.problems.empty) context.problems.add(noBrokers);
  if (drafts.size === 0) return context.problems.refuse();
  const fallback = checkDefault(settings.default, [...drafts.keys()], context);
  const routes = checkRoutes(settings.routes, [...drafts.keys()], context);
  const brokers = await configureUsed(drafts, new Set([fallback, ...Object.values(routes)]), sources);
  if (checked === undefined || fallback === undefined) return context.problems.refuse();
  context.problems.throwIfAny();
  return Object.freeze({
    brokers,
    unused: unusedBrokers(drafts, brokers, sources),
    default: fallback,
    routes: Object.freeze(routes),
    route: createRouter(routes, fallback),
    namespace: checked.namespace ?? DEFAULT_NAMESPACE,
    connectTimeoutMs: checked.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
  });
}

type Drafts = ReadonlyMap<string, Draft>;

/** Imports what is used, and only then knows which options the variables can mean. */
async function configureUsed(drafts: Drafts, used: ReadonlySet<string | undefined>, sources: Sources) {
  const { folder, variables, context } = sources;
  const needed = [...drafts.values()].filter(({ name }) => used.has(name));
  // One after the other, so that problems stand in the order of the configuration.
  for (const draft of needed) await loadDraft(draft, folder, context);
  assignVariables(drafts, variables, context);
  const brokers = new Map<string, ResolvedBroker>();
  for (const draft of needed) {
    const adapter = await configureDraft(draft, context);
    if (adapter !== undefined) brokers.set(draft.name, { adapter, origin: originOf(draft, context) });
  }
  return brokers;
}

function unusedBrokers(drafts: Drafts, used: ReadonlyMap<string, unknown>, sources: Sources) {
  const unused = [...drafts.values()].filter(({ name }) => !used.has(name));
  return new Map(unused.map((draft) => [draft.name, unusedBroker(draft, sources)]));
}

function unusedBroker(draft: Draft, { folder, context }: Sources): UnusedBroker {
  let loading: Promise<ConfiguredAdapter> | undefined;
  return {
    adapterName: draft.adapterName,
    origin: originOf(draft, context),
    load() {
      loading ??= configureLater(draft, folder, context.origins);
      return loading;
    },
  };
}
