// The queue of the stream's socket: what the kernel does not grant is told, with the setting that lifts it.

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { StreamOptions, StreamWarning } from '../../lib/index.js'
import { insideOk } from '../helpers/inside.js'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'

let host: Namespace
beforeAll(() => {
  host = new Namespace()
})
afterAll(() => {
  host?.[Symbol.dispose]()
})

interface Size {
  width: number
  height: number
}

async function warnings(size: Size, options: StreamOptions): Promise<StreamWarning[]> {
  return await insideOk(
    host,
    async ({ startSimulator, openCamera }, { size, options }) => {
      const simulator = await startSimulator({ ...size, frameRate: 50 })
      const camera = await openCamera(simulator.address)
      const stream = camera.stream({ ...options, frames: 2 })
      const told: StreamWarning[] = []
      stream.on('warning', (warning) => told.push(warning))
      for await (const frame of stream) frame.release()
      await camera.close()
      await simulator.stop()
      return told
    },
    { size, options },
    { unprivileged: true },
  )
}

describeWith(['netns'], 'receive buffer', () => {
  const limit = Number(readFileSync('/proc/sys/net/core/rmem_max', 'utf8'))
  const SMALL = { width: 64, height: 64 }

  it('says nothing where all of it is granted', async () => {
    expect(await warnings(SMALL, { receiveBufferBytes: Math.min(limit, 100_000) })).toEqual([])
  })

  it('says what is granted, what that costs, and which setting lifts it', async () => {
    const wish = limit + 4096
    const [warning, ...others] = await warnings(SMALL, { receiveBufferBytes: wish })
    expect(others).toEqual([])
    expect(warning).toMatchObject({
      code: 'receive-buffer',
      hint: `sudo sysctl -w net.core.rmem_max=${wish}`,
    })
    expect(warning!.message).toContain(`grants ${limit} bytes of socket queue instead of ${wish}`)
  })

  it('is sized for the stream by itself: two frames, and told of where that is too much', async () => {
    const told = await warnings({ width: 4096, height: 2048 }, {})
    const wish = 2 * 4096 * 2048
    expect(told.map(({ hint }) => hint)).toEqual(
      limit < wish ? [`sudo sysctl -w net.core.rmem_max=${wish}`] : [],
    )
  })
})
