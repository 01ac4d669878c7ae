// A camera's settings as readable JSON, and back (genapi.md 3.5, 3.6): every streamable feature, and those that a selector chooses
// once for each of its values. Loading does not trust the order of the file: what is refused because of another setting is tried
// again after the others, and in the end everything is read back.

import { GigeError, invalidArgument } from '../errors.js'
import { isTaken } from './read-back.js'
import { eachSelection, type Selection, Selectors, selectorsOf } from './selections.js'
import type { FeatureNode, NodeMap, ReadOptions } from './types.js'

/** As JSON has them: integers beyond 2^53, infinities and bytes are text. */
type Portable = number | boolean | string

export interface Setting {
  name: string
  value: Portable
  /** Values of the selectors under which it is meant. */
  when?: Selection
}

export interface Settings {
  /** Where they come from: names and version of the description. */
  camera: { vendor: string; model: string; version: string }
  /** Selectors come last. */
  features: Setting[]
  /** What of the camera's settings is not among them, and why; absent where all are. Nothing to load. */
  skipped?: SkippedSetting[]
}

export interface SkippedSetting {
  name: string
  when?: Selection
  reason: string
}

export interface SettingFailure extends Setting {
  /** What the camera has in place of it, where it can be read. */
  actual?: Portable
  /** Why it was refused; absent where the camera took something else. */
  error?: unknown
}

export interface SettingsReport {
  /** How many settings the camera has now as they were asked for. */
  taken: number
  failed: SettingFailure[]
}

const VALUE_TYPES = new Set(['Integer', 'Float', 'Boolean', 'Enumeration', 'String', 'Register'])
// Where a description marks nothing as streamable, these are no settings: connection, files, user sets, what a stream locks.
const NO_SETTINGS = /^(TLParamsLocked$|Gev|File|UserSet|DeviceUserID$)/
const MAX_PASSES = 5

/** Reads all settings. Moves selectors and puts them back, which needs control. */
export async function saveSettings(map: NodeMap): Promise<Settings> {
  const { vendorName, modelName, version } = map.info
  const features: Setting[] = []
  const skipped: SkippedSetting[] = []
  const save = async (node: FeatureNode, when?: Selection): Promise<void> => {
    const place = { name: node.name, ...(when && Object.keys(when).length > 0 ? { when } : {}) }
    const error = await refusalOf(async () => {
      if ((await node.access()) !== 'RW') return
      const value = await portable(node)
      features.push({ ...place, value })
    })
    if (error !== undefined) skipped.push({ ...place, reason: (error as Error).message })
  }
  const { plain, selected, selectors } = arrange(map, candidates(map))
  await map.getMany(plain.map(({ name }) => name)) // together, so that each is at hand when its turn comes
  for (const node of plain) await save(node)
  const moved = new Selectors(map)
  await moved.restoring(async () => {
    for (const { by, nodes } of selected) {
      const onLimit = (reason: string) => skipped.push(...nodes.map(({ name }) => ({ name, reason })))
      const error = await refusalOf(async () => {
        for await (const when of eachSelection(map, moved, by, onLimit)) {
          for (const node of nodes) await save(node, when)
        }
      })
      if (error !== undefined) onLimit((error as Error).message)
    }
  })
  for (const node of selectors) await save(node)
  return {
    camera: { vendor: vendorName, model: modelName, version },
    features,
    ...(skipped.length > 0 && { skipped }),
  }
}

/**
 * Writes settings that `saveSettings` read, from this camera or another one. A setting that cannot be written, or of which the camera
 * made something else, is in the report and stops no other. Throws ERR_GIGE_INVALID_ARGUMENT for what is no settings at all, and what
 * ends the connection.
 */
export async function loadSettings(map: NodeMap, settings: Settings): Promise<SettingsReport> {
  const all = validated(settings)
  const isSelector = ({ name, when }: Setting) =>
    when === undefined && map.has(name) && map.node(name).selects.length > 0
  const moved = new Selectors(map)
  await executeIfThere(map, 'DeviceRegistersStreamingStart')
  let failed: SettingFailure[]
  try {
    failed = await moved.restoring(() =>
      applyAll(
        map,
        moved,
        all.filter((setting) => !isSelector(setting)),
      ),
    )
    failed.push(...(await applyAll(map, moved, all.filter(isSelector))))
  } finally {
    await executeIfThere(map, 'DeviceRegistersStreamingEnd')
  }
  return { taken: all.length - failed.length, failed }
}

// ---- which features ------------------------------------------------------------------------------------------------

function candidates(map: NodeMap): FeatureNode[] {
  const all = [...map].filter((node) => node.isFeature && VALUE_TYPES.has(node.type))
  const streamable = all.filter((node) => node.streamable)
  if (streamable.length > 0) return streamable
  return all.filter((node) => node.type !== 'Register' && !NO_SETTINGS.test(node.name))
}

interface Arranged {
  plain: FeatureNode[]
  /** Features that share their selectors, which then move once for all of them. */
  selected: { by: string[]; nodes: FeatureNode[] }[]
  selectors: FeatureNode[]
}

function arrange(map: NodeMap, nodes: readonly FeatureNode[]): Arranged {
  const arranged: Arranged = { plain: [], selected: [], selectors: [] }
  const groups = new Map<string, { by: string[]; nodes: FeatureNode[] }>()
  for (const node of nodes) {
    const by = selectorsOf(map, node)
    if (node.selects.length > 0) arranged.selectors.push(node)
    else if (by.length === 0) arranged.plain.push(node)
    else {
      const group = groups.get(by.join()) ?? { by, nodes: [] }
      group.nodes.push(node)
      groups.set(by.join(), group)
    }
  }
  arranged.selected = [...groups.values()]
  return arranged
}

// ---- values ----------------------------------------------------------------------------------------------------------

async function portable(node: FeatureNode, options: ReadOptions = {}): Promise<Portable> {
  const value = await node.get(options)
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array || (typeof value === 'number' && !Number.isFinite(value))) {
    return await node.getText(options)
  }
  return value
}

async function write(node: FeatureNode, value: Portable): Promise<void> {
  const isText = typeof value === 'string' && node.type !== 'String' && node.type !== 'Enumeration'
  if (isText) await node.setText(value)
  else await node.set(value)
}

// ---- loading ------------------------------------------------------------------------------------------------------------

async function applyAll(map: NodeMap, selectors: Selectors, settings: Setting[]): Promise<SettingFailure[]> {
  const errors = new Map<Setting, unknown>()
  let open = settings
  for (let pass = 0; open.length > 0 && pass < MAX_PASSES; pass++) {
    const refused: Setting[] = []
    for (const setting of open) {
      const error = await refusalOf(async () => {
        await selectors.select(setting.when ?? {})
        await write(map.node(setting.name), setting.value)
      })
      if (error === undefined) errors.delete(setting)
      else errors.set(setting, error)
      if (error !== undefined) refused.push(setting)
    }
    if (refused.length === open.length) break // nothing that another pass could build on
    open = refused
  }
  return await compareAll(map, selectors, settings, errors)
}

async function compareAll(
  map: NodeMap,
  selectors: Selectors,
  settings: readonly Setting[],
  errors: ReadonlyMap<Setting, unknown>,
): Promise<SettingFailure[]> {
  const failed: SettingFailure[] = []
  for (const setting of settings) {
    let actual: Portable | undefined
    const unreadable = await refusalOf(async () => {
      await selectors.select(setting.when ?? {})
      actual = await portable(map.node(setting.name), { ignoreCache: true })
    })
    if (actual !== undefined && isTaken(setting.value, actual)) continue
    const error = errors.get(setting) ?? unreadable
    failed.push({
      ...setting,
      ...(actual === undefined ? {} : { actual }),
      ...(error === undefined ? {} : { error }),
    })
  }
  return failed
}

/** What the camera or its description has against it; undefined: nothing. Anything else, such as a lost connection, is thrown. */
async function refusalOf(work: () => Promise<void>): Promise<unknown> {
  try {
    await work()
    return undefined
  } catch (error) {
    const isRefusal =
      error instanceof GigeError &&
      ['ERR_GIGE_FEATURE', 'ERR_GIGE_DESCRIPTION', 'ERR_GIGE_STATUS'].includes(error.code)
    if (isRefusal) return error
    throw error
  }
}

/** Some devices want to know about a load in bulk (genapi.md 3.6). */
async function executeIfThere(map: NodeMap, name: string): Promise<void> {
  const command = await map.firstOf([name], 'Command')
  if (command && (await command.access()) !== 'NA') await command.execute()
}

function validated(settings: Settings): Setting[] {
  const isValue = (value: unknown) => ['number', 'boolean', 'string'].includes(typeof value)
  const isSelection = (when: unknown) =>
    when === undefined || (typeof when === 'object' && when !== null && Object.values(when).every(isValue))
  const features: unknown = settings?.features
  const isList =
    Array.isArray(features) && features.every((one) => typeof one?.name === 'string' && isValue(one.value))
  if (isList && features.every((one) => isSelection(one.when))) return features
  throw invalidArgument(
    'These are no settings',
    'Give what saveSettings() returned, or the same parsed from JSON.',
  )
}
