// The public entry.

export { attachStream } from './attach.js'
export { applyBandwidthShare, collectBandwidthFacts, interfaceSpeed } from './bandwidth-camera.js'
export {
  type BandwidthPlan,
  type CameraBandwidthFacts,
  type CameraShare,
  type PlanOptions,
  planBandwidth,
} from './bandwidth-plan.js'
export { openCamera } from './camera.js'
export { discover, type ForceIpOptions, forceIp, watchCameras } from './discovery.js'
export { GigeError, type GigeErrorCode } from './errors.js'
export type {
  FeatureNode,
  FeatureValue,
  NodeMap,
  Setting,
  SettingFailure,
  Settings,
  SettingsReport,
} from './genapi/index.js'
export type { Facts as PreflightFacts } from './preflight/facts.js'
export { type PreflightOptions, preflight } from './preflight/preflight.js'
export type { Finding, PortRequirement, PreflightReport, Remedy, RemedyCommand } from './preflight/report.js'
export { requiredPorts } from './preflight/rules/ports.js'
export {
  firstWrongByte,
  type Simulator,
  type SimulatorFaults,
  type SimulatorOptions,
  type SimulatorStats,
  startSimulator,
} from './simulator.js'
export type { StreamStats } from './stats.js'
export type * from './types.js'
