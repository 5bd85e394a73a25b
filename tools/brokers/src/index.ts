export {
  type BrokerStatus,
  brokerStatus,
  type EnsureOptions,
  ensureBroker,
  type RunningBroker,
  type StateOptions,
  stopBroker,
} from './brokers.js';
export { Authority, type Certificate } from './certificates.js';
export { connectionsTo } from './connections.js';
export { BrokerError, MissingTool } from './errors.js';
export { type Impostor, startImpostor } from './impostor.js';
export { BROKER_NAMES, type BrokerName, type Connection } from './kind.js';
export type { Ports } from './ports.js';
export { type PrivateBroker, type PrivateOptions, startPrivate } from './private.js';
