import type { StandardSchemaV1 } from '@standard-schema/spec';
import { MessagingError } from './errors.js';

/** The schema's output, or a promise of it where the schema is asynchronous. Throws or rejects with `INVALID_VALUE`, naming the path in the value. */
export function validate(schema: StandardSchemaV1, value: unknown, topic: string): unknown {
  const result = schema['~standard'].validate(value);
  return result instanceof Promise ? result.then((settled) => outputOf(settled, topic)) : outputOf(result, topic);
}

function outputOf(result: StandardSchemaV1.Result<unknown>, topic: string): unknown {
  if (result.issues === undefined) return result.value;
  const problems = result.issues.map((issue) => `${pathOf(issue)}: ${issue.message}`).join('; ');
  throw new MessagingError('INVALID_VALUE', `The value does not fit the schema of topic '${topic}': ${problems}.`, {
    cause: result.issues,
  });
}

function pathOf(issue: StandardSchemaV1.Issue): string {
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  return path === '' ? 'value' : path;
}
