export type { WireRequest } from './framing.js';
export { createFaultProxy, type Fault, type FaultProxy, type ProxyOptions } from './proxy.js';
export { type FaultWays, faultWays } from './ways.js';
