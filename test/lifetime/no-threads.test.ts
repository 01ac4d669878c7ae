// A system that gives no more threads (a container's pids limit, ulimit -u) ends calls with an error, never the process.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'
import { run } from './child.js'

let net: Namespace

describeWith(['netns', 'setpriv', 'prlimit'], 'without a thread to be had', () => {
  beforeAll(() => {
    net = new Namespace()
  })
  afterAll(() => net[Symbol.dispose]())

  it('every call that needs one fails with a typed error, and what runs can be closed', async () => {
    const result = await run(
      net,
      async ({ discover, openCamera, startSimulator }, { entry }) => {
        const { execFileSync } = await import('node:child_process')
        const { native } = (await import(
          new URL('native.js', `file://${entry}`).href
        )) as typeof import('../../lib/native.js')
        const simulators = [
          await startSimulator({ width: 64, height: 64 }),
          await startSimulator({ address: '127.0.0.2', serial: 'S2' }),
        ]
        const camera = await openCamera('127.0.0.1')
        const control = new native.CameraControl(() => {})
        await control.open({ address: '127.0.0.2' })
        execFileSync('prlimit', ['--nproc=1:1', '--pid', String(process.pid)])
        const attempts: Record<string, () => Promise<unknown>> = {
          receiver: () => camera.stream().start(),
          heartbeat: () => control.takeControl('control', 0),
          search: () => discover({ timeout: 100 }),
          control: () => new native.CameraControl(() => {}).open({ address: '127.0.0.2' }),
          simulator: () => startSimulator({ address: '127.0.0.3' }),
        }
        const outcomes: Record<string, unknown> = {}
        for (const [name, attempt] of Object.entries(attempts)) {
          outcomes[name] = await attempt().then(
            () => 'done',
            (error: { code: string; hint: string }) =>
              `${error.code} ${error.hint === '' ? 'without' : 'with'} hint`,
          )
        }
        await control.close()
        await camera.close()
        const privileges = simulators.map((simulator) => simulator.stats().controlPrivilege)
        for (const simulator of simulators) await simulator.stop()
        return { ...outcomes, privileges }
      },
      {},
      { unprivileged: true },
    )
    const refused = 'ERR_GIGE_NATIVE with hint'
    expect(result).toEqual({
      ...{ receiver: refused, heartbeat: refused, search: refused, control: refused, simulator: refused },
      privileges: [0, 0],
    })
  })
})
