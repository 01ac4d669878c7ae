// An event has come, whatever the camera's description makes of it.

import { expect, it, vi } from 'vitest'
import { CameraEventSource, type EventsHost } from '../../lib/camera-events.js'
import type { NodeMap } from '../../lib/genapi/index.js'
import type { CameraEvent } from '../../lib/index.js'

it('is told without values where the description cannot take it apart, with one warning for all of them', async () => {
  const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const features = {
    eventValues: () => Promise.reject(new RangeError('Maximum call stack size exceeded')),
  } as unknown as NodeMap
  const host = { cameraAddress: '10.0.0.2', tickFrequency: 0n, features } as EventsHost
  const events: CameraEvent[] = []
  const source = new CameraEventSource(host, (event) => events.push(event))
  const item = [0, 0, 0x90, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9]
  source.receive({
    requestId: 1,
    acknowledge: undefined,
    payload: Uint8Array.from([...item, ...item]),
    hasData: false,
    extendedIds: false,
  })
  await vi.waitFor(() => expect(events).toHaveLength(2))
  expect(events[0]).toMatchObject({ id: 0x9001, name: '0x9001', timestamp: 9n, values: new Map() })
  expect(warnings.mock.calls).toEqual([
    [
      'Camera 10.0.0.2 cannot take its events apart: Maximum call stack size exceeded',
      { type: 'GigewireWarning', code: 'events-unread' },
    ],
  ])
  warnings.mockRestore()
})
