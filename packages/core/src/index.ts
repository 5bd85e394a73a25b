export type { Capabilities, Capability, CapabilityId } from './capabilities.js';
export { type Clock, systemClock, type Timer } from './clock.js';
export { bytes, type Codec, json, text } from './codec.js';
export { type Configuration, defineConfig } from './config/index.js';
export type {
  BatchOptions,
  Consumer,
  ConsumerOptions,
  SubscribeOptions,
  Subscription,
  SubscriptionState,
} from './consumer/contract.js';
export type {
  BrokerConfig,
  BrokerHealth,
  Description,
  Health,
  Messaging,
  MessagingEvent,
  MessagingOptions,
  SubscriptionHealth,
} from './contract.js';
export { codeOf, ERROR_CODES, type ErrorCode, MessagingError } from './errors.js';
export type { Logger } from './logger.js';
export { ack, type BatchHandler, type Delivery, type Handler, type Message, type Outcome, retry } from './message.js';
export { createMessaging } from './messaging.js';
export type {
  BatchItem,
  BatchItemResult,
  BatchReceipt,
  Producer,
  ProducerOptions,
  Receipt,
  SendOptions,
} from './producer/contract.js';
export { defineTopic, type Topic, type TopicOptions } from './topic.js';
