/** A service in a process of its own: ends when it is told to, when the process that started it is gone, or when it is killed. */
import { once } from 'node:events';
import type { BrokerConfig } from '@anymq/core';
import { messagingOn } from './engine.js';
import { Service, type ServiceOptions } from './service.js';

/** What the process is started with. */
export interface WorkerOrder {
  readonly broker: BrokerConfig;
  readonly options: ServiceOptions;
}

const { broker, options } = JSON.parse(process.argv[2] as string) as WorkerOrder;
const disconnected = once(process, 'disconnect');
const messaging = await messagingOn(broker, options.seed);
messaging.on((event) => {
  if (event.type !== 'subscription-failed') return;
  console.error(event.error.message);
  process.exit(1);
});
const service = await Service.start(messaging, options);
process.send?.('started');
await disconnected;
await service.stop();
await messaging.close();
