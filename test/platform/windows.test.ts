// Windows: core, simulator and addon as mingw builds them, run under wine; never on Windows itself. The C++ tests, then node.exe
// receiving from a camera of its own process and from one of Linux, every byte checked.

import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'
import { endWine, prepareWine, runNode, runWine } from './wine.js'

const MINUTES = 60_000

// What has code of its own for Windows.
const AREAS = ['net', 'udp'] as const
// wine takes SIO_UDP_CONNRESET and does nothing by it.
const NOT_UNDER_WINE = 'an unconnected socket learns that nobody listens'

// Waits under wine end late when the machine is busy; frames are so far apart that slots suffice all the same.
const PATIENT = { responseTimeout: 100, timeout: 5000 }

interface Streamed {
  ids: number[]
  wrong: string[]
  incomplete: number[]
  sums: string[]
  against?: string[]
  engine: string
  timeout?: string
  packetSize?: { packetSize: number }
  stats: Record<string, number>
}

describeWith(['netns', 'wine', 'x86_64-w64-mingw32-g++-posix', 'doctest', 'npm registry'], 'Windows', () => {
  let network: Namespace
  let tests: string

  beforeAll(async () => {
    tests = await prepareWine(AREAS)
    network = new Namespace()
  }, 15 * MINUTES)

  afterAll(() => {
    if (!network) return
    endWine(network)
    network[Symbol.dispose]()
  })

  it.each(AREAS)(
    'C++ tests: %s',
    async (area) => {
      const { code, stdout, stderr } = await runWine(network, path.join(tests, `gw_test_${area}.exe`), [
        `--test-case-exclude=${NOT_UNDER_WINE}`,
      ])
      expect(code, `${stdout}${stderr}`.slice(-20_000)).toBe(0)
      expect(stdout).toMatch(/test cases: +[1-9][0-9]* \|/)
    },
    3 * MINUTES,
  )

  it(
    'finds, opens and sets a camera, and negotiates its packet size',
    async () => {
      const result = await runNode<Record<string, unknown>>(network, 'find')
      expect(result).toMatchObject({ platform: 'win32', width: 320 })
      expect((result.found as unknown[]).length).toBeGreaterThan(0)
      expect(result.packetSize as number).toBeGreaterThan(1500)
    },
    MINUTES,
  )

  it(
    'receives 200 frames, every byte right',
    async () => {
      const result = await runNode<Streamed>(network, 'stream', {
        blocks: 200,
        stream: { packetSize: 'auto' },
      })
      expectWhole(result, 200)
      expect(result.against).toEqual([])
      expect(result.stats.packetsLost).toBe(0)
    },
    MINUTES,
  )

  it(
    'asks for lost packets again',
    async () => {
      const result = await runNode<Streamed>(network, 'stream', {
        blocks: 100,
        simulator: { frameRate: 25, faults: { loss: 0.01 } },
        stream: { resend: PATIENT },
      })
      expectWhole(result, 100)
      expect(result.against).toEqual([])
      expect(result.stats.packetsResent).toBeGreaterThan(0)
    },
    MINUTES,
  )

  it.each(['copy', 'scatter', 'aggregate'])(
    'receives from a camera of Linux: %s',
    async (engine) => {
      const simulator = await remoteSimulator(network, {
        width: 640,
        height: 480,
        frameRate: 50,
        faults: { loss: 0.01, reorder: 0.01 },
      })
      const result = await runNode<Streamed>(network, 'receive', {
        camera: '127.0.0.1',
        frames: 200,
        check: 1,
        stream: { engine, packetSize: 8000, resend: PATIENT },
      })
      await simulator.stop()
      expectWhole(result, 200)
      expect(result.stats.packetsResent).toBeGreaterThan(0)
      // wine has no receive coalescing
      expect(result.engine).toBe(engine === 'scatter' ? 'scatter' : 'copy')
    },
    MINUTES,
  )
})

function expectWhole(result: Streamed, frames: number): void {
  expect(result.timeout).toBeUndefined()
  expect(result.wrong).toEqual([])
  expect(result.incomplete).toEqual([])
  expect(result.sums).toEqual([])
  expect(result.ids).toHaveLength(frames)
}
