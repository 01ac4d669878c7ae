// What discovery makes of cameras that are hard to tell apart.

import { expect, it } from 'vitest'
import { insideOk } from '../helpers/inside.js'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'

describeWith(['netns'], 'discovery', () => {
  it('lists cameras with the same serial number and MAC by their addresses, and opens the one that is meant', async () => {
    const net = new Namespace()
    try {
      const result = await insideOk(net, async ({ startSimulator, discover, openCamera }) => {
        const addresses = ['127.0.0.1', '127.0.0.2', '127.0.0.3']
        const simulators = []
        for (const address of addresses)
          simulators.push(await startSimulator({ address, serial: 'the same' }))
        const found = await discover({ addresses, until: (all) => all.length === 3 })
        const opened: string[] = []
        for (let round = 0; round < 10; round++) {
          const camera = await openCamera(addresses[round % 3] as string)
          opened.push(camera.info.address)
          await camera.close()
        }
        for (const simulator of simulators) await simulator.stop()
        return { found: found.map((camera) => camera.address).sort(), opened }
      })
      expect(result.found).toEqual(['127.0.0.1', '127.0.0.2', '127.0.0.3'])
      expect(result.opened).toEqual(Array.from({ length: 10 }, (_, i) => `127.0.0.${(i % 3) + 1}`))
    } finally {
      net[Symbol.dispose]()
    }
  })
})
