// Every way to end a program, at every step of its work: the exit code is Node's own, nothing crashes or hangs, and the camera,
// which lives in another process, is given back wherever code could still run.

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packageEntry } from '../helpers/inside.js'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'
import { until } from '../helpers/tools.mjs'

const script = (name: string) => fileURLToPath(new URL(name, import.meta.url))

// Each stage has a camera that lets a program get there and no further.
const STAGES = {
  discovering: { address: '127.0.0.1' },
  opening: { address: '127.0.0.2', afterwards: { controlRequestLoss: 1 } },
  describing: { address: '127.0.0.1' },
  open: { address: '127.0.0.1' },
  negotiating: { address: '127.0.0.3', faults: { packetSize: 'no-test-packet' } },
  starting: { address: '127.0.0.1' },
  waiting: { address: '127.0.0.1' },
  'mid-frame': { address: '127.0.0.4', width: 1280, height: 960, lineRateBps: 1_000_000 },
  leased: { address: '127.0.0.5', frameRate: 500 },
  closing: { address: '127.0.0.5', frameRate: 500 },
} as const
type Stage = keyof typeof STAGES

interface Expected {
  code: number | null
  signal?: NodeJS.Signals
  /** The worker's own exit code. */
  worker?: number
  stderr?: RegExp
  thread?: 'worker'
}
const ENDINGS: Record<string, Expected> = {
  'exit(0)': { code: 0 },
  'exit(7)': { code: 7 },
  'exit in a handler of exit': { code: 9 },
  uncaught: { code: 1, stderr: /uncaught, as it should be/ },
  rejection: { code: 1, stderr: /unhandled, as it should be/ },
  'SIGTERM, handler exits': { code: 3 },
  'SIGTERM, handler closes': { code: 4 },
  terminate: { code: 0, worker: 1, thread: 'worker' },
  'worker exit(5)': { code: 0, worker: 5, thread: 'worker' },
  'main exits': { code: 6, thread: 'worker' },
  // No code of ours runs. The last one: the camera keeps what was being tried.
  SIGTERM: { code: null, signal: 'SIGTERM' },
}
// Nothing is closed, and nothing is waited for: an open camera alone does not keep a process alive.
const NATURAL: Stage[] = ['open', 'leased', 'closing']

let net: Namespace
let cameras: ChildProcess
let answers: Interface
let infos: Record<string, unknown>

interface CameraState {
  controlPrivilege: number
  heartbeatExpired: number
  controlTaken: number
  controlReleased: number
  streaming: boolean
  packetSize: number
}

async function answer<T>(): Promise<T> {
  const [line] = (await once(answers, 'line')) as [string]
  return JSON.parse(line) as T
}

async function state(address: string): Promise<CameraState> {
  const next = answer<CameraState>()
  cameras.stdin?.write(`${JSON.stringify({ address })}\n`)
  return await next
}

async function end(stage: Stage, ending: string, expected: Expected): Promise<void> {
  const { address } = STAGES[stage]
  const before = await state(address)
  expect(before.controlPrivilege, 'the camera is free').toBe(0)
  if (stage === 'negotiating') expect(before.packetSize, 'nothing is left of an earlier end').toBe(1500)
  const plan = { entry: packageEntry, stage, ending, thread: expected.thread ?? 'main', info: infos[address] }
  const child = net.spawn(process.execPath, [script('./victim.mjs'), JSON.stringify(plan)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  let readyAt = 0
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    if (readyAt === 0 && stdout.includes('ready\n')) {
      readyAt = performance.now()
      if (ending.startsWith('SIGTERM')) child.kill('SIGTERM')
    }
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const limit = setTimeout(() => child.kill('SIGKILL'), 15_000)
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  clearTimeout(limit)
  const ms = performance.now() - readyAt
  expect({ code, signal, worker: /worker (\d+)/.exec(stdout)?.[1], ready: readyAt > 0 }, stderr).toEqual({
    code: expected.code,
    signal: expected.signal ?? null,
    worker: expected.worker === undefined ? undefined : String(expected.worker),
    ready: true,
  })
  if (expected.stderr) expect(stderr).toMatch(expected.stderr)
  else expect(stderr).toBe('')
  expect(ms, 'ms until it was gone').toBeLessThan(3000)

  const after = await state(address)
  const took = after.controlTaken - before.controlTaken
  if (ending === 'SIGTERM' && after.controlPrivilege !== 0) {
    // No code of ours runs then: the camera frees itself.
    await until(async () => {
      const now = await state(address)
      return now.heartbeatExpired > before.heartbeatExpired && now.controlPrivilege === 0
    }, 'the heartbeat')
  } else {
    expect(after.controlPrivilege, 'control is given back').toBe(0)
    expect(after.heartbeatExpired).toBe(before.heartbeatExpired)
    expect(after.controlReleased - before.controlReleased).toBe(took)
    if (stage === 'negotiating') expect(after.packetSize, 'packet size').toBe(before.packetSize)
  }
  await until(async () => !(await state(address)).streaming, 'the end of the acquisition')
  if (stage !== 'discovering' && stage !== 'opening') expect(took).toBe(1)
}

describeWith(['netns'], 'the end of a program', () => {
  beforeAll(async () => {
    net = new Namespace()
    const all = [...new Map(Object.values(STAGES).map((camera) => [camera.address, camera])).values()]
    cameras = net.spawn(
      process.execPath,
      [script('./cameras.mjs'), JSON.stringify({ entry: packageEntry, cameras: all })],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    )
    if (!cameras.stdout) throw new Error('no pipe')
    answers = createInterface({ input: cameras.stdout })
    infos = await answer()
  })
  afterAll(async () => {
    const gone = once(cameras, 'exit')
    cameras.stdin?.end()
    await gone
    net[Symbol.dispose]()
  })

  for (const stage of Object.keys(STAGES) as Stage[]) {
    describe(stage, () => {
      for (const [ending, expected] of Object.entries(ENDINGS)) {
        it(ending, async () => await end(stage, ending, expected))
      }
      if (NATURAL.includes(stage)) {
        it('natural, with nothing closed', async () => await end(stage, 'natural', { code: 0 }))
        it('natural, of a worker with nothing closed', async () =>
          await end(stage, 'natural', { code: 0, worker: 0, thread: 'worker' }))
      }
    })
  }
})
