// `gigewire preflight --try`: the firewall is opened for a moment and is shut again, however that ends.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { WATCHDOG_S } from '../../lib/preflight/trial.js'
import { main, RunningCli } from '../cli/run-cli.js'
import { cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'
import { until } from '../helpers/tools.mjs'
import { CAMERA, defaultDeny, HOST, look, SMALL } from './laboratory.js'

const MODULE = new URL('../../dist/preflight/trial.js', import.meta.url).pathname

/** Opens it, with a watchdog of a second, and has the root shell killed. */
const killed = (commands: unknown, facts: unknown, file: string) => `
import { execFileSync } from 'node:child_process'
import { openForNow } from ${JSON.stringify(MODULE)}
const trial = await openForNow(${JSON.stringify(commands)}, ${JSON.stringify(facts)}, { file: ${JSON.stringify(file)}, watchdog: 1 })
console.log(execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' }).includes('comment "gigewire-'))
execFileSync('pkill', ['-KILL', '-P', String(process.pid), 'sh'])
await trial.close().catch(({ code, hint }) => console.log(code, hint))
`

describeWith(['netns', 'nft', 'pkill'], 'preflight --try', () => {
  interface Lab {
    host: Namespace
    rules: () => string
    home: string
    start: (...args: string[]) => RunningCli
  }

  async function lab(firewall: boolean, body: (lab: Lab) => Promise<void>): Promise<void> {
    using host = new Namespace()
    using camera = new Namespace()
    const home = mkdtempSync(path.join(tmpdir(), 'gigewire-try-'))
    try {
      cable(host, { device: 'v0', cidr: `${HOST}/24` }, camera, { device: 'v1', cidr: `${CAMERA}/24` })
      await remoteSimulator(camera, { ...SMALL, address: CAMERA })
      if (firewall) host.nft(defaultDeny())
      const start = (...args: string[]) =>
        new RunningCli(
          host.spawn('env', [`XDG_STATE_HOME=${home}`, process.execPath, main, 'preflight', ...args]),
        )
      await body({ host, home, start, rules: () => host.exec('nft', 'list', 'ruleset') })
    } finally {
      rmSync(home, { recursive: true })
    }
  }
  const record = (home: string) => path.join(home, 'gigewire/preflight-undo.json')

  it('says that it is the firewall, and leaves it as it was', async () => {
    await lab(true, async ({ start, rules, home }) => {
      const before = rules()
      const unasked = await start(CAMERA, '--try').end()
      expect([unasked.code, rules()]).toEqual([2, before])
      const { code, stdout, stderr } = await start(CAMERA, '--try', '--yes').end()
      expect(code, stderr).toBe(0) // a warning: streams work all the same
      expect(stdout).toMatch(/^WARNING [\s\S]*\nOK {6}Packets of 10\.99\.0\.2 arrive/)
      expect(stdout).toContain('It is the firewall of this computer')
      expect(stderr).toContain('Shut again: every rule is as it was.')
      expect([rules(), existsSync(record(home))]).toEqual([before, false])
      // Else it would take away a rule that was made for good meanwhile.
      expect(spawnSync('pgrep', ['-xf', `sleep ${WATCHDOG_S}`]).status, 'the watchdog has ended').toBe(1)
      const printed = await start(CAMERA, '--try', '--yes', '--json').end()
      expect(JSON.parse(printed.stdout)).toMatchObject({
        findings: [{ code: 'firewall.inbound-stream' }, { code: 'firewall.broadcast-reply' }],
        trial: { restored: true, report: { findings: [{ code: 'ok' }] } },
      })
    })
  })

  it('says that it is not the firewall, where something else is in the way', async () => {
    await lab(false, async ({ start, rules }) => {
      const { code, stdout } = await start(CAMERA, '--packet-size', '8000', '--try', '--yes').end()
      expect(code).toBe(3)
      expect(stdout).toContain('It makes no difference')
      expect(rules()).toBe('')
    })
  })

  it('is shut at once where it is killed', async () => {
    await lab(true, async ({ host, start, rules }) => {
      const before = rules()
      const running = start(CAMERA, '--try', '--yes')
      await until(() => rules().includes('comment "gigewire-'), 'the open firewall')
      host.exec('pkill', '-KILL', '-f', `${main} preflight ${CAMERA} --try`)
      await running.end()
      await until(() => rules() === before, 'the firewall as it was')
    })
  })

  it('is shut by its watchdog where the root shell is killed, too', async () => {
    await lab(true, async ({ host, home, rules }) => {
      const before = rules()
      const { findings, facts } = await look(host, { camera: CAMERA })
      const { commands } = findings[0]!.remedy!
      const file = path.join(home, 'undo.json')
      const said = await host.output(process.execPath, [
        '--input-type=module',
        '-e',
        killed(commands, facts, file),
      ])
      expect(said).toMatch(/^true\nERR_GIGE_NETWORK Its watchdog shuts it 1 s after it was opened/)
      expect(existsSync(file)).toBe(true) // and --undo would, too
      await until(() => rules() === before, 'the firewall as it was')
    })
  })
})
