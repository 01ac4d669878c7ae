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

  it('refuses another NIC than the one a CameraInfo names, and takes that one by name and by address', async () => {
    using net = new Namespace()
    const result = await insideOk(net, async ({ startSimulator, discover, openCamera }) => {
      const simulator = await startSimulator()
      const [camera] = await discover({ until: (all) => all.length > 0 })
      const results: string[] = []
      for (const name of ['eth7', '10.1.2.3', camera!.interface.name, camera!.interface.address]) {
        try {
          await (await openCamera(camera!, { interface: name })).close()
          results.push('opened')
        } catch (error) {
          const { code, message } = error as { code: string; message: string }
          results.push(`${code}: ${message}`)
        }
      }
      await simulator.stop()
      return results
    })
    const refused = (name: string) =>
      `ERR_GIGE_INVALID_ARGUMENT: Camera 127.0.0.1 was seen through lo (127.0.0.1), not through '${name}'`
    expect(result).toEqual([refused('eth7'), refused('10.1.2.3'), 'opened', 'opened'])
  })
})
