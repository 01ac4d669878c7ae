// `gigewire preflight --try`: the firewall is opened for a moment and is shut again, however that ends.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { nftables } from '../../lib/preflight/rules/linux.js'
import { WATCHDOG_S, watchdogFor } from '../../lib/preflight/trial.js'
import { undoFile } from '../../lib/preflight/undo-record.js'
import { main, RunningCli } from '../cli/run-cli.js'
import { cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'
import { until } from '../helpers/tools.mjs'
import { facts, nic } from './facts-builder.js'
import { CAMERA, defaultDeny, HOST, look, SMALL } from './laboratory.js'

const MODULE = new URL('../../dist/preflight/trial.js', import.meta.url).pathname

/** Opens it, with a watchdog of so many seconds, and goes on. */
const opening = (commands: unknown, facts: unknown, folder: string, watchdog: number, after: string) => `
import { execFileSync } from 'node:child_process'
import { openForNow } from ${JSON.stringify(MODULE)}
try {
  const trial = await openForNow(${JSON.stringify(commands)}, ${JSON.stringify(facts)}, { folder: ${JSON.stringify(folder)}, watchdog: ${watchdog} })
  console.log(execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' }).includes('comment "gigewire-'))
  ${after}
  console.log(await trial.close())
} catch ({ code, hint }) {
  console.log(code, hint)
}
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
  const record = (home: string) => undoFile(CAMERA, path.join(home, 'gigewire'))

  /** What is printed by openForNow() within the network, with these commands. */
  async function opened(
    { host, home }: Lab,
    commands: readonly { command: string; undo: string }[],
    { watchdog, after = '' }: { watchdog: number; after?: string },
  ): Promise<string> {
    const folder = path.join(home, 'gigewire')
    const script = opening(commands, facts([], { camera: { address: CAMERA } }), folder, watchdog, after)
    return await host.output(process.execPath, ['--input-type=module', '-e', script])
  }

  /** Of whoever sleeps so long: no two tests take the same. */
  const watches = (seconds: number) => spawnSync('pgrep', ['-xf', `sleep ${seconds}`]).status === 0
  /** It ignores what else would end it. */
  const end = (seconds: number) => spawnSync('pkill', ['-KILL', '-xf', `sleep ${seconds}`])
  const rule = { camera: CAMERA, nic: nic({ name: 'v0' }), mark: `gigewire-${CAMERA}-12345678` }

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

  it('does not acquit a firewall that refuses what is sent', async () => {
    await lab(false, async ({ host, start }) => {
      host.nft(`table inet filter {
  chain output {
    type filter hook output priority 0; policy accept;
    udp dport 3956 drop
  }
}`)
      const { code, stdout } = await start(CAMERA, '--try', '--yes').end()
      expect(code).toBe(3)
      expect(stdout).toContain('It shows nothing: only what comes in was let in')
      expect(stdout).not.toContain('It makes no difference')
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
    await lab(true, async (lab) => {
      const { host, home, rules } = lab
      const before = rules()
      const { findings } = await look(host, { camera: CAMERA })
      const said = await opened(lab, findings[0]!.remedy!.commands as { command: string; undo: string }[], {
        watchdog: 1,
        after: "execFileSync('pkill', ['-KILL', '-P', String(process.pid), 'sh'])",
      })
      expect(said).toMatch(/^true\nERR_GIGE_NETWORK Its watchdog shuts it 1 s after it was opened/)
      expect(existsSync(record(home))).toBe(true) // and --undo would, too
      await until(() => rules() === before, 'the firewall as it was')
    })
  })

  it('keeps watchdog and record where it could not be shut, and the watchdog shuts it', async () => {
    await lab(true, async (lab) => {
      const { home, rules } = lab
      const before = rules()
      const given = nftables(rule)
      // The first attempt to shut it fails.
      const once = path.join(home, 'once')
      const undo = `if [ -e ${once} ]; then ${given.undo}; else touch ${once}; false; fi`
      const said = await opened(lab, [{ ...given, undo }], { watchdog: 2 })
      expect(said).toBe('true\nopen\n')
      expect([existsSync(record(home)), rules()]).toEqual([true, expect.stringContaining(rule.mark)])
      await until(() => rules() === before, 'the firewall as it was')
    })
  })

  it('keeps them where the rules are others than before, too', async () => {
    await lab(true, async (lab) => {
      const { home, host } = lab
      const after = "execFileSync('nft', ['add', 'table', 'inet', 'somebody'])"
      const said = await opened(lab, [nftables(rule) as never], { watchdog: 6543, after })
      expect([said, existsSync(record(home)), watches(6543)]).toEqual(['true\ndiffers\n', true, true])
      end(6543)
      host.exec('nft', 'delete', 'table', 'inet', 'somebody')
    })
  })

  it('says where a command failed whether what was begun is shut, and leaves no watchdog then', async () => {
    await lab(true, async (lab) => {
      const { home, rules } = lab
      const before = rules()
      // At once: sooner than a watchdog that nobody waited for would have been there.
      for (let i = 0; i < 10; i++) {
        const said = await opened(lab, [{ command: 'false', undo: 'true' }], { watchdog: 6544 })
        expect(said).toMatch(/^ERR_GIGE_NETWORK Run it as an administrator.*printed commands\.\n$/)
        expect([existsSync(record(home)), watches(6544)]).toEqual([false, false])
      }
      const begun = { ...nftables(rule), undo: 'false' }
      const said = await opened(lab, [begun, { command: 'false', undo: 'true' }], { watchdog: 6545 })
      expect(said).toContain('Some of it may be open: Its watchdog shuts it 6545 s after')
      expect([existsSync(record(home)), watches(6545)]).toEqual([true, true])
      expect(rules()).not.toBe(before)
      end(6545)
    })
  })

  it('is told what to do where it is not shut, by the command', async () => {
    await lab(true, async ({ host, home, start, rules }) => {
      const before = rules()
      const running = start(CAMERA, '--try', '--yes', '--timeout', '45000')
      await until(() => rules().includes('comment "gigewire-'), 'the open firewall')
      expect(watches(105), 'the watchdog is there longer than the look may take').toBe(true)
      host.exec('nft', 'add', 'table', 'inet', 'somebody')
      const { stderr, stdout } = await running.end()
      expect(stderr).toContain('the rules are not as they were before')
      expect(stderr).toMatch(/Its watchdog shuts it 105 s after it was opened; gigewire preflight\s+--undo/)
      expect(stdout).toContain('It is the firewall of this computer')
      expect([existsSync(record(home)), watches(105)]).toEqual([true, true])
      end(105)
      host.exec('nft', 'delete', 'table', 'inet', 'somebody')
      const undone = await start('--undo', '--yes').end()
      expect([undone.code, rules(), existsSync(record(home))]).toEqual([0, before, false])
    })
  })

  it('takes back its own rule alone', async () => {
    await lab(true, async (lab) => {
      const { host, rules } = lab
      // A user's, with the mark of old; another camera's; the same by an earlier report.
      host.exec(
        'nft',
        'insert',
        'rule',
        'inet',
        'filter',
        'input',
        'udp',
        'dport',
        '7',
        'accept',
        'comment',
        '"gigewire"',
      )
      for (const mark of [`gigewire-${CAMERA}-00000000`, 'gigewire-10.99.0.20-12345678'])
        host.exec('sh', '-c', nftables({ ...rule, mark }).command)
      const before = rules()
      expect(await opened(lab, [nftables(rule) as never], { watchdog: 6546 })).toBe('true\nrestored\n')
      expect([rules(), watches(6546)]).toEqual([before, false])
    })
  })
})

it('is watched for longer than looking again may take', () => {
  expect([watchdogFor(100), watchdogFor(30_000), watchdogFor(630_000)]).toEqual([90, 90, 690])
})
