import { kafka } from './kafka.js';
import type { BrokerName, Kind } from './kind.js';
import { rabbitmq } from './rabbitmq.js';
import { rocketmq } from './rocketmq.js';

/** The kinds by name. */
export const KINDS: Readonly<Record<BrokerName, Kind>> = { kafka, rabbitmq, rocketmq };
