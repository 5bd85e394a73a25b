import { ensureBroker } from '@anymq/brokers';
import { createMessaging, type Messaging } from '@anymq/core';

/** Where the pipeline can run. */
export const ENGINES = ['memory', 'kafka', 'rabbitmq', 'rocketmq'] as const;

/** Where the pipeline can run. */
export type Engine = (typeof ENGINES)[number];

/** A messaging on the engine, whose broker is started if it does not run. All that differs between engines is here. */
export async function openMessaging(engine: Engine, note: (line: string) => void): Promise<Messaging> {
  return createMessaging({
    // The same for every run: a namespace per run would leave topics and queues behind until the broker is full.
    namespace: 'demo',
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
