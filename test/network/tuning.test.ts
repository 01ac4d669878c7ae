// What a stream asks of the machine has the effect that it tells of, as the kernel shows it; and who may not have it learns why, and
// what to type.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { insideOk } from '../helpers/inside.js'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'
import { isRoot } from '../helpers/user-namespace.js'

let net: Namespace

/** Runs in a child: starts a stream with these wishes and looks at its receive thread. */
async function tuned(
  { startSimulator, openCamera }: typeof import('../../lib/index.js'),
  { tuning }: { tuning: import('../../lib/index.js').StreamTuning },
) {
  const { readdirSync, readFileSync } = await import('node:fs')
  const { getPriority } = await import('node:os')
  const read = (file: string) => readFileSync(`/proc/self/${file}`, 'utf8')
  const huge = () => Number(/^AnonHugePages:\s+(\d+)/m.exec(read('smaps_rollup'))?.[1]) * 1024
  const simulator = await startSimulator({ width: 1936, height: 1216, frameRate: 20 })
  const camera = await openCamera(simulator.address)
  const hugeBefore = huge()
  const stream = camera.stream({ frames: 5, tuning })
  const warnings: { code: string; message: string; hint: string }[] = []
  stream.on('warning', (warning) => warnings.push(warning))
  await stream.start()
  const task = readdirSync('/proc/self/task').find((one) => /^gw-rx-/.test(read(`task/${one}/comm`)))!
  // Fields from the third on; the second may hold spaces.
  const stat = read(`task/${task}/stat`)
    .replace(/^.*\) /, '')
    .split(' ')
  const status = read(`task/${task}/status`)
  const seen = {
    nice: Number(stat[16]),
    realTime: Number(stat[37]),
    policy: Number(stat[38]),
    cpus: /^Cpus_allowed_list:\s+(\S+)/m.exec(status)![1],
    huge: huge() - hugeBefore,
  }
  let frames = 0
  for await (const frame of stream) {
    frames++
    frame.release()
  }
  const { granted } = stream
  const rests = stream.stats().rests
  await camera.close()
  await simulator.stop()
  const capabilities = Number.parseInt(/^CapEff:\s+(\S+)/m.exec(read('status'))![1]!, 16)
  const before = { nice: getPriority(), capabilities }
  return { pid: process.pid, before, seen, granted: granted!, frames, rests, warnings }
}

const SCHED_FIFO = 1
const CAP_NET_ADMIN = 12
const CAP_SYS_NICE = 23
const has = (capabilities: number, bit: number) => isRoot && Math.floor(capabilities / 2 ** bit) % 2 === 1
const tuningOnly = (warnings: { code: string }[]) => warnings.filter(({ code }) => code === 'tuning')

describeWith(['netns', 'setpriv'], 'tuning', () => {
  beforeAll(() => {
    net = new Namespace()
  })
  afterAll(() => net?.[Symbol.dispose]())

  it('needs no privilege for CPUs and huge pages', async () => {
    const tuning = { cpu: [0], hugePages: true }
    const { seen, granted, frames, warnings } = await insideOk(net, tuned, { tuning }, { unprivileged: true })
    expect(tuningOnly(warnings)).toEqual([])
    expect(granted.cpu).toEqual({ asked: [0], granted: [0] })
    expect(seen.cpus).toBe('0')
    const { asked, granted: bytes } = granted.hugePages!
    expect(asked).toBeGreaterThan(6 * 1936 * 1216)
    expect(bytes).toBe(asked)
    expect(seen.huge).toBeGreaterThanOrEqual(asked)
    expect(frames).toBe(5)
  })

  it('tells who may not raise its priority, poll the NIC or use a CPU, and goes on without', async () => {
    const options = { unprivileged: true }
    const tuning = { priority: 20, busyPoll: 200, cpu: [0, 1000] }
    const { pid, before, seen, granted, frames, rests, warnings } = await insideOk(
      net,
      tuned,
      { tuning },
      options,
    )
    expect(seen).toMatchObject({ nice: before.nice, realTime: 0, policy: 0, cpus: '0' })
    expect(frames).toBe(5)
    expect(granted.priority).toEqual({
      asked: 20,
      reason: 'real-time priority 20 needs CAP_SYS_NICE or RLIMIT_RTPRIO 20; the limit is 0',
      remedy: expect.stringContaining(`sudo prlimit --pid ${pid} --rtprio=20`),
    })
    // Linux of late lets everybody poll.
    const refused = granted.busyPoll!.granted === undefined
    if (refused) expect(granted.busyPoll!.remedy).toBe('sudo sysctl -w net.core.busy_read=200')
    else expect(rests).toBe(0)
    expect(granted.cpu).toMatchObject({ granted: [0], reason: 'this process may not run on CPU 1000' })
    expect(tuningOnly(warnings)).toHaveLength(refused ? 3 : 2)
    const nice = await insideOk(net, tuned, { tuning: { priority: -5 } }, options)
    expect(nice.seen).toMatchObject({ nice: nice.before.nice, policy: 0 })
    expect(nice.granted.priority).toMatchObject({
      reason: 'niceness -5 needs CAP_SYS_NICE or RLIMIT_NICE 25; the limit is 0',
      remedy: expect.stringContaining(`sudo prlimit --pid ${nice.pid} --nice=25`),
    })
  })

  it('has what this process may have, as the kernel shows it', async () => {
    const realTime = await insideOk(net, tuned, { tuning: { priority: 20 } })
    const nice = await insideOk(net, tuned, { tuning: { priority: -5 } })
    const may = has(realTime.before.capabilities, CAP_SYS_NICE)
    expect(realTime.granted.priority?.granted).toBe(may ? 20 : undefined)
    expect(realTime.seen.realTime).toBe(may ? 20 : 0)
    expect(realTime.seen.policy & 0xff).toBe(may ? SCHED_FIFO : 0)
    expect(nice.granted.priority?.granted).toBe(may ? -5 : undefined)
    expect(nice.seen.nice).toBe(may ? -5 : nice.before.nice)
    expect(tuningOnly([...realTime.warnings, ...nice.warnings])).toHaveLength(may ? 0 : 2)
    const polling = await insideOk(net, tuned, { tuning: { busyPoll: 200 } })
    const forced = has(polling.before.capabilities, CAP_NET_ADMIN)
    expect(polling.granted.receiveBuffer.by).toBe(forced ? 'privilege' : 'limit')
    if (forced) expect(polling.granted.busyPoll).toEqual({ asked: 200, granted: 200 })
    if (forced) expect(polling.rests).toBe(0)
    expect([realTime.frames, nice.frames, polling.frames]).toEqual([5, 5, 5])
  })
})
