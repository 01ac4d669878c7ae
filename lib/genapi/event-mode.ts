// Switching a camera's events on and off by its own features (genapi.md 6.2): EventNotification, multiplied by EventSelector.

import { featureError } from './errors.js'
import { switchSelected } from './selected-switches.js'
import type { NodeMap } from './types.js'

const OFF = 'Off'

export interface SwitchedEvents {
  /** That are sent now. */
  on: string[]
  /** Of these, the ones that were not sent before. */
  switched: string[]
}

/**
 * Has the camera send these events, by the names that EventSelector has for them, or all that it offers; others stay as they are.
 * Throws ERR_GIGE_FEATURE where the camera has no events, or not these.
 */
export async function enableEvents(map: NodeMap, wanted?: readonly string[]): Promise<SwitchedEvents> {
  const notification = await map.firstOf(['EventNotification'], 'Enumeration')
  if (!notification)
    throw featureError('EventNotification', 'not-implemented', 'This camera sends no events.')
  const isOn = async () => (await map.get('EventNotification')) !== OFF
  const switched: string[] = []
  const on = await switchSelected(
    map,
    { selector: 'EventSelector', what: 'event', wanted },
    async (isWanted, name) => {
      if (!isWanted || (await isOn())) return await isOn()
      if ((await notification.access()) !== 'RW') return false
      const entries = (await notification.entries()).filter(({ available }) => available)
      // Older cameras have other words for it: GenICamEvent, Event.
      const entry = entries.find((one) => one.name === 'On') ?? entries.find((one) => one.name !== OFF)
      if (entry) await map.set('EventNotification', entry.name)
      if (await isOn()) switched.push(name)
      return await isOn()
    },
  )
  return { on, switched }
}

export async function disableEvents(map: NodeMap, names: readonly string[]): Promise<void> {
  await switchSelected(map, { selector: 'EventSelector', what: 'event', wanted: names }, async (isWanted) => {
    if (isWanted) await map.set('EventNotification', OFF)
    return false
  })
}
