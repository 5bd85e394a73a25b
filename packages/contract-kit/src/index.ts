export { type ContractCase, LAWS } from './case.js';
export { listed } from './cases/giving-up.js';
export { cases } from './cases/index.js';
export { type Certificate, type CertifiedLaw, type CertifiedRow, certify, proofsOf } from './certificate.js';
export { type ChaosOptions, type ChaosRow, FULL, runChaos, SHORT } from './chaos/chaos.js';
export type { Scenario, Timing } from './chaos/scenario.js';
export { SCENARIOS } from './chaos/scenarios.js';
export type { ChaosBroker, ChaosConnection, ChaosModule, ChaosTarget } from './chaos/target.js';
export { CaseContext, type CaseSettings, type Gate, type Item } from './context.js';
export {
  createFaultProxy,
  type Fault,
  type FaultProxy,
  type FaultWays,
  faultWays,
  type ProxyOptions,
  type WireRequest,
} from './faults/index.js';
export * from './history/index.js';
export { roundTrip } from './leaks/cycles.js';
export { type AdapterOptions, type LoadOptions, loadTarget } from './load-target.js';
export { type Call, Received, Waiter } from './received.js';
export { contract, type RegisterOptions, type TestRunner } from './register.js';
export {
  type CaseResult,
  type ContractOptions,
  type RunOptions,
  randomSeed,
  runCase,
  runContract,
  skipReason,
} from './runner.js';
export { type Hunt, hunt, type Known, type Saboteur, sabotaged, saboteurs } from './saboteurs/index.js';
export { type MemberSide, type Tamper, type TamperedMember, tampered } from './tamper.js';
export {
  type About,
  BrokerMissing,
  type ContractTarget,
  type NativeMessage,
  type NativePeer,
  type OpenTarget,
  type Outage,
  type ProcessWay,
  type ProxiedWay,
} from './target.js';
export { versionOf } from './versions.js';
