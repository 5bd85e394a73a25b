/** The door for authors of adapters. Everything an adapter may import from core is here. */
export type { Capabilities, Capability, CapabilityId, CapabilityLimits } from '../capabilities.js';
export { CAPABILITY_IDS } from '../capabilities.js';
export type { Clock, Timer } from '../clock.js';
export { sleep, systemClock } from '../clock.js';
export type { ErrorCode } from '../errors.js';
export { ERROR_CODES, MessagingError, messageOf } from '../errors.js';
export type { Logger } from '../logger.js';
export { ByteCredit } from './byte-credit.js';
export { cloudEventsAttributes, LEAN, type SplitHeaders, splitHeaders, type WireAttributes } from './envelope.js';
export { HANDOVER_MS } from './handover.js';
export type * from './spi.js';
