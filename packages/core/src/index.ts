export type { BrowsedMessage, BrowseOptions } from './browse.js';
export type { Capabilities, Capability, CapabilityId } from './capabilities.js';
export { type Clock, systemClock, type Timer } from './clock.js';
export { bytes, type Codec, json, text } from './codec.js';
export { type Configuration, defineConfig } from './config/index.js';
export type {
  BatchOptions,
  Consumer,
  ConsumerOptions,
  DeadLetterOptions,
  RetryPolicy,
  SubscribeOptions,
  Subscription,
  SubscriptionState,
} from './consumer/contract.js';
export {
  type DeduplicationStore,
  type MemoryDeduplicationStoreOptions,
  memoryDeduplicationStore,
} from './consumer/deduplication-store.js';
export { type ExponentialOptions, exponential, fixed, type RetryBackoff, steps } from './consumer/retry-backoff.js';
export type {
  BrokerConfig,
  BrokerHealth,
  Description,
  GroupSummary,
  Health,
  Messaging,
  MessagingEvent,
  MessagingOptions,
  SubscriptionHealth,
  TopicSummary,
} from './contract.js';
export type {
  DeadLetter,
  DeadLetterCause,
  DeadLetterSelection,
  DeadLetters,
  ListOptions,
  PurgeOptions,
  RedriveOptions,
  RedriveReport,
} from './dead-letters/contract.js';
export { DEFAULT_MAX_CYCLES } from './dead-letters/redrive.js';
export { codeOf, ERROR_CODES, type ErrorCode, MessagingError, PermanentError } from './errors.js';
export type { Logger } from './logger.js';
export {
  ack,
  type BatchHandler,
  type Delivery,
  deadLetter,
  discard,
  type Handler,
  type Message,
  type Outcome,
  type RetryOptions,
  retry,
} from './message.js';
export { createMessaging } from './messaging.js';
export type {
  BatchItem,
  BatchItemResult,
  BatchReceipt,
  Cancellation,
  Producer,
  ProducerOptions,
  Receipt,
  SendOptions,
} from './producer/contract.js';
export { defineTopic, type Topic, type TopicOptions } from './topic.js';
