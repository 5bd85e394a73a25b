import { randomUUID } from 'node:crypto';
import { type AdapterRuntime, type OutgoingRecord, systemClock, type TopicSpec } from '@anymq/core/adapter';

export const uniqueNamespace = (): string => `t-${randomUUID().slice(0, 8)}`;

export interface TestRuntime extends AdapterRuntime {
  readonly states: string[];
  readonly warnings: string[];
}

/** A runtime on the machine's clock, with a short back-off. */
export function testRuntime(namespace: string): TestRuntime {
  const states: string[] = [];
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  return {
    broker: 'test',
    namespace,
    clock: systemClock(),
    random: Math.random,
    log: { debug() {}, info() {}, warn, error: warn },
    backoff() {
      let wait = 25;
      return {
        next() {
          wait = Math.min(wait * 2, 1_000);
          return wait;
        },
      };
    },
    connection: (state) => void states.push(state),
    states,
    warnings,
  };
}

export function topicSpec(name: string, changes: Partial<TopicSpec> = {}): TopicSpec {
  const base = { keyed: true, history: 'full', envelope: 'lean', type: name, contentType: 'application/json' } as const;
  return { name, ...base, ...changes };
}

export function record(id: string, key: string | undefined, body: string, changes = {}): OutgoingRecord {
  const base = { headers: undefined, time: 1_763_900_000_123, type: 'orders', contentType: 'application/json' };
  return { id, key, body: Buffer.from(body), ...base, ...changes };
}

/** Resolves as soon as `condition` holds; rejects after `timeoutMs`. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
