// The sending process of a benchmark: simulated cameras, as its first argument describes them. It also points a camera at a
// receiver that speaks no GVCP, over the camera's own address, so that it is opened and started like any other.

import { createInterface } from 'node:readline'
import { openCamera } from '../camera.js'
import { ipv4Number } from '../ipv4.js'
import { type Simulator, type SimulatorOptions, startSimulator } from '../simulator.js'
import type { Camera } from '../types.js'
import { processCpuNs } from './cpu.js'
import { HEARTBEAT_MS, reply, serve } from './serve.js'

export interface CameraTask {
  addresses: string[]
  options: SimulatorOptions
}

/** Of all cameras together. */
export interface SentCounters {
  packets: number
  bytes: number
  timeNs: number
  cpuNs: number
}

// Stream channel 0: port, packet size, destination.
const SCP_PORT = 0x0d00
const SCP_PACKET_SIZE = 0x0d04
const SCP_ADDRESS = 0x0d18

const task = JSON.parse(process.argv[2]!) as CameraTask
const simulators: Simulator[] = []
const opened: Camera[] = []

await serve(createInterface({ input: process.stdin }), {
  start: async () => {
    for (const [i, address] of task.addresses.entries()) {
      simulators.push(await startSimulator({ ...task.options, address, serial: `BENCH-${i + 1}` }))
    }
    return { ready: true }
  },
  point: async ({ port, address, packetSize }: { port: number; address: string; packetSize: number }) => {
    const camera = await openCamera(task.addresses[0]!, { heartbeatTimeout: HEARTBEAT_MS })
    opened.push(camera)
    await camera.writeRegister(SCP_PACKET_SIZE, 0x40000000 + packetSize) // do not fragment
    await camera.writeRegister(SCP_ADDRESS, ipv4Number(address))
    await camera.writeRegister(SCP_PORT, port)
    await camera.features.execute('AcquisitionStart')
    return { pointed: true }
  },
  sent: () => {
    const counters: SentCounters = {
      packets: 0,
      bytes: 0,
      timeNs: performance.now() * 1e6,
      cpuNs: processCpuNs(),
    }
    for (const simulator of simulators) {
      const stats = simulator.stats()
      counters.packets += stats.packetsSent
      counters.bytes += Number(stats.bytesSent)
    }
    return counters
  },
  times: () => ({ times: [...(simulators[0]?.sendTimes() ?? [])].map(Number) }),
})
for (const camera of opened) await camera.close()
for (const simulator of simulators) await simulator.stop()
reply({ stopped: true })
