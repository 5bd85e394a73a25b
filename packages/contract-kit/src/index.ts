export type { ContractCase } from './case.js';
export { cases } from './cases/index.js';
export { CaseContext, type Gate, type Item } from './context.js';
export { type Call, Received, Waiter } from './received.js';
export { contract, type TestRunner } from './register.js';
export { type CaseResult, runCase, skipReason } from './runner.js';
export { BrokerMissing, type ContractTarget, type NativeMessage, type NativePeer, type OpenTarget } from './target.js';
