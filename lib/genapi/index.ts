// Camera descriptions (GenICam GenApi) as node maps. Pure: text and a Port in, features out.

/**
 * Types of the features of every camera in a program, by name. Empty: a feature's value is a FeatureValue. The file that
 * `gigewire types` prints fills it in, by declaration merging, which is why it is declared in the entry itself.
 */
// biome-ignore lint/suspicious/noEmptyInterface: to be merged into
export interface FeatureTypes {}

export { GigeError, type GigeErrorCode } from '../errors.js'
export { disableChunks, enableChunks } from './chunk-mode.js'
export { type ParsedChunks, parseChunks } from './chunks.js'
export { type LoadedDescription, loadDescription } from './description.js'
export { type DescriptionUrl, parseDescriptionUrl } from './description-url.js'
export type { FeatureReason } from './errors.js'
export { type EventItem, type EventMessage, parseEventItems } from './event-items.js'
export { disableEvents, enableEvents, type SwitchedEvents } from './event-mode.js'
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
  EventValues,
  ExecuteOptions,
  FeatureName,
  FeatureNode,
  FeatureOutcome,
  FeatureValue,
  FeatureWarning,
  InterfaceType,
  NodeMap,
  NodeMapEvents,
  NodeMapOptions,
  ReadOptions,
  ValueOf,
  Visibility,
  WatchOptions,
  WriteOptions,
} from './types.js'
