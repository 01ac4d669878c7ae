// Events that come faster than their values are read: bounded, told once, and nothing of it after the end.

import { expect, it } from 'vitest'
import { CameraEventSource } from '../../lib/camera-events.js'
import type { EventCommand } from '../../lib/event-message.js'
import type { CameraEvent } from '../../lib/types.js'

it('drops what would fill the memory, with one warning, and tells nothing once it is closed', async () => {
  const held: (() => void)[] = []
  const features = {
    eventValues: () =>
      new Promise((resolve) => held.push(() => resolve({ name: 'Flood', values: new Map() }))),
  }
  const told: CameraEvent[] = []
  const host = { features, cameraAddress: '10.0.0.1', tickFrequency: 1000n } as never
  const source = new CameraEventSource(host, (event) => told.push(event))
  const warnings: string[] = []
  const listen = ({ message }: Error) => warnings.push(message)
  process.on('warning', listen)
  try {
    const item = [0, 0, 0x90, 1, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]
    const payload = Uint8Array.from(Array(8).fill(item).flat())
    const command: EventCommand = {
      requestId: 1,
      hasData: false,
      extendedIds: false,
      payload,
      acknowledge: undefined,
    }
    for (let i = 0; i < 200; i++) source.receive(command)
    await new Promise((resolve) => setImmediate(resolve))
    expect(held).toHaveLength(1024)
    expect(warnings).toEqual([expect.stringContaining('more than 1024 were waiting')])
    for (const settle of held.splice(0, 2)) settle()
    await new Promise((resolve) => setImmediate(resolve))
    expect(told).toHaveLength(2)
    expect(told[0]).toMatchObject({
      name: 'Flood',
      timestamp: 5n,
      timestampNs: 5_000_000n,
      streamChannel: undefined,
    })
    await source.close(true)
    for (const settle of held) settle()
    await new Promise((resolve) => setImmediate(resolve))
    expect(told).toHaveLength(2)
  } finally {
    process.off('warning', listen)
  }
})
