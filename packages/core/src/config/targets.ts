/** Checks of the two places that name brokers: `default` and `routes`. */
import type { Context } from './environment.js';
import { found, isRecord } from './problems.js';
import { type Ambiguity, findAmbiguities, patternProblem, type Routes } from './routes.js';
import { listed, suggestion } from './words.js';

type Names = readonly string[];

/** Name of the default broker: the only one when none is written. Undefined after a problem. */
export function checkDefault(written: unknown, names: Names, { problems, origins }: Context): string | undefined {
  const place = origins.place(['default']);
  if (typeof written === 'string') return checkTarget(place, written, names, { problems, origins });
  // Of another kind, which the schema has told already.
  if (written !== undefined) return undefined;
  if (names.length === 1) return names[0];
  problems.add(`${place}: found nothing; expected one of the brokers: ${listed(names)}`);
  return undefined;
}

/** The routes that have no problem of their own. */
export function checkRoutes(written: unknown, names: Names, context: Context): Routes {
  const entries = Object.entries(isRecord(written) ? written : {});
  const routes = Object.fromEntries(
    entries.flatMap(([pattern, broker]) => checkRoute(pattern, broker, names, context)),
  );
  for (const ambiguity of findAmbiguities(routes)) {
    context.problems.add(`${context.origins.place(['routes'])}: ${describe(ambiguity)}`);
  }
  return routes;
}

function checkRoute(pattern: string, broker: unknown, names: Names, context: Context): [] | [[string, string]] {
  const place = context.origins.place(['routes', pattern]);
  const wrong = patternProblem(pattern);
  if (wrong !== undefined) context.problems.add(`${place}: ${wrong}`);
  const target = typeof broker === 'string' ? checkTarget(place, broker, names, context) : undefined;
  return wrong !== undefined || target === undefined ? [] : [[pattern, target]];
}

function checkTarget(place: string, broker: string, names: Names, { problems }: Context): string | undefined {
  if (names.includes(broker)) return broker;
  const hint = suggestion(broker, names);
  problems.add(`${place}: found ${found(broker, [])}; expected one of the brokers: ${listed(names)}.${hint}`);
  return undefined;
}

function describe({ patterns: [first, second], brokers, topic }: Ambiguity): string {
  const example = topic === undefined ? 'the same topics' : `topic '${topic}'`;
  return (
    `'${first}' and '${second}' match ${example} equally well but name different brokers, ${brokers.join(' and ')}. ` +
    'Add a route with more words spelt out that decides it'
  );
}
