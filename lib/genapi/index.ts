// Camera descriptions (GenICam GenApi) as node maps. Pure: text and a Port in, features out.

export { type LoadedDescription, loadDescription } from './description.js'
export { type DescriptionUrl, parseDescriptionUrl } from './description-url.js'
export type { FeatureReason } from './errors.js'
export { createNodeMap } from './node-map.js'
export type { Port } from './port.js'
export type { Selection } from './selections.js'
export {
  loadSettings,
  type Setting,
  type SettingFailure,
  type Settings,
  type SettingsReport,
  saveSettings,
} from './settings.js'
export type {
  AccessMode,
  CachingMode,
  DescriptionInfo,
  DescriptionProblem,
  EndiannessVerdict,
  EnumerationEntry,
  ExecuteOptions,
  FeatureNode,
  FeatureOutcome,
  FeatureValue,
  FeatureWarning,
  InterfaceType,
  NodeMap,
  NodeMapEvents,
  NodeMapOptions,
  ReadOptions,
  Visibility,
  WatchOptions,
  WriteOptions,
} from './types.js'
