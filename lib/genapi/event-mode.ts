// Switching a camera's events on and off by its own features (genapi.md 6.2): EventNotification, multiplied by EventSelector.

import { featureError } from './errors.js'
import { switchSelected } from './selected-switches.js'
import type { NodeMap } from './types.js'

const OFF = 'Off'

/**
 * Has the camera send these events, by the names that EventSelector has for them, or all that it offers; others stay as they are.
 * Returns the names that are on. Throws ERR_GIGE_FEATURE where the camera has no events, or not these.
 */
export async function enableEvents(map: NodeMap, wanted?: readonly string[]): Promise<string[]> {
  const notification = await map.firstOf(['EventNotification'], 'Enumeration')
  if (!notification)
    throw featureError('EventNotification', 'not-implemented', 'This camera sends no events.')
  return await switchSelected(map, { selector: 'EventSelector', what: 'event', wanted }, async (isWanted) => {
    if (isWanted && (await notification.access()) === 'RW') {
      const entries = (await notification.entries()).filter(({ available }) => available)
      // Older cameras have other words for it: GenICamEvent, Event.
      const on = entries.find(({ name }) => name === 'On') ?? entries.find(({ name }) => name !== OFF)
      if (on) await map.set('EventNotification', on.name)
    }
    return (await map.get('EventNotification')) !== OFF
  })
}

export async function disableEvents(map: NodeMap, names: readonly string[]): Promise<void> {
  await switchSelected(map, { selector: 'EventSelector', what: 'event', wanted: names }, async (isWanted) => {
    if (isWanted) await map.set('EventNotification', OFF)
    return false
  })
}
