// What windows.test.ts does inside node.exe; plain JavaScript, since it is loaded there as it is. Arguments: the package's entry, the
// task, and its argument as JSON in base64. The result goes to stdout as JSON; the process must end by itself.

import { pathToFileURL } from 'node:url'
import { brokenAgainstSimulator, receive, simulate } from '../helpers/tools.mjs'

const [entry, task, encoded] = process.argv.slice(2)
const argument = JSON.parse(Buffer.from(encoded, 'base64').toString())
const gigewire = await import(pathToFileURL(entry))

const TASKS = {
  /** A camera of this very process is found, opened, and its packet size negotiated. */
  async find() {
    const simulator = await gigewire.startSimulator({ serial: 'WINE-1' })
    const found = await gigewire.discover({
      timeout: 5000,
      addresses: [simulator.address],
      until: (all) => all.some((camera) => camera.serial === 'WINE-1'),
    })
    const camera = await gigewire.openCamera(simulator.address)
    try {
      const { packetSize, limitedBy } = await camera.negotiatePacketSize()
      await camera.features.set('Width', 320)
      return {
        platform: process.platform,
        found: found.filter((one) => one.serial === 'WINE-1').map((one) => one.interface),
        packetSize,
        limitedBy,
        width: await camera.features.get('Width'),
      }
    } finally {
      await camera.close()
      await simulator.stop()
    }
  },

  /** Streams from a camera of this process. */
  async stream(options) {
    let camera
    return await streamed((onFrame) =>
      simulate(gigewire, {
        ...options,
        onFrame,
        prepare: (simulator) => {
          camera = simulator
        },
        // Under wine a camera may still have to read the last request for a packet that has come meanwhile.
        settle: ({ resendRequests }) => {
          const { streaming, resendCmd } = camera.stats()
          return !streaming && resendCmd === resendRequests
        },
      }),
    )
  },

  /** Streams from somebody else's camera. */
  async receive(options) {
    return await streamed((onFrame) => receive(gigewire, { ...options, onFrame }))
  },
}

async function streamed(run) {
  let engine
  const result = await run((_, stream) => {
    engine = stream.engine
  })
  return {
    ...result,
    engine,
    against: result.simulator && brokenAgainstSimulator(result.stats, result.simulator),
  }
}

const value = await TASKS[task](argument)
process.stdout.write(JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? `${one}n` : one)))
