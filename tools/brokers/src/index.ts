export {
  type BrokerStatus,
  brokerStatus,
  ensureBroker,
  type PrivateBroker,
  type RunningBroker,
  startPrivate,
  stopBroker,
} from './brokers.js';
export { BROKER_NAMES, type BrokerName, type Connection } from './kind.js';
export { BrokerError } from './process.js';
