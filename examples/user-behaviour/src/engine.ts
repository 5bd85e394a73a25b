import { randomUUID } from 'node:crypto';
import { ensureBroker } from '@anymq/brokers';
import { createMessaging, type Messaging } from '@anymq/core';

/** Where the pipeline can run. */
export const ENGINES = ['memory', 'kafka', 'rabbitmq', 'rocketmq'] as const;

/** Where the pipeline can run. */
export type Engine = (typeof ENGINES)[number];

/** A messaging on the engine, whose broker is started if it does not run. All that differs between engines is here. */
export async function openMessaging(engine: Engine, note: (line: string) => void): Promise<Messaging> {
  return createMessaging({
    // One per run: a run must not see what an earlier one left.
    namespace: `demo-${randomUUID().slice(0, 8)}`,
    brokers: { main: { adapter: engine, ...(await connectionOf(engine, note)) } },
    cwd: import.meta.dirname,
  });
}

async function connectionOf(engine: Engine, note: (line: string) => void): Promise<object> {
  if (engine === 'memory') return {};
  note(`Making sure that ${engine} runs...`);
  const { connection, started } = await ensureBroker(engine);
  note(started ? `Started ${engine}; 'npm run brokers -- down ${engine}' stops it.` : `Using the ${engine} that runs.`);
  return connection;
}
