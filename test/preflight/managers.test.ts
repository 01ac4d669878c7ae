// The laboratory with a firewall manager: what preflight says of its rules, and that it prints a command of that manager, which works.

import { cpSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import type { PreflightReport, RemedyCommand } from '../../lib/preflight/report.js'
import { ufw } from '../../lib/preflight/rules/linux.js'
import { outboundCommands } from '../../lib/preflight/rules/linux-outbound.js'
import { planTrial } from '../../lib/preflight/trial.js'
import { cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'
import { type SystemBus, systemBus } from '../helpers/system-bus.js'
import { until } from '../helpers/tools.mjs'
import { nic } from './facts-builder.js'
import { CAMERA, HOST, look, mend, NFT, SMALL } from './laboratory.js'

/** Gives the bus that leads to it. */
async function firewalldIn({ host }: { host: Namespace }): Promise<SystemBus> {
  const bus = await systemBus(host)
  const asks = `DBUS_SYSTEM_BUS_ADDRESS=${bus.env.DBUS_SYSTEM_BUS_ADDRESS}`
  host.spawn('env', [asks, 'firewalld', '--nofork', '--nopid'], { stdio: 'ignore' })
  const running = () => {
    try {
      return host.exec('env', asks, 'firewall-cmd', '--state').includes('running')
    } catch {
      return false
    }
  }
  await until(running, 'firewalld')
  return bus
}

const IPTABLES: [string, ...string[]] = ['iptables', '-S']

function withCommands(report: PreflightReport, commands: RemedyCommand[]): PreflightReport {
  return { ...report, findings: [{ ...report.findings[0]!, remedy: { text: '', commands } }] }
}

// Firewall managers keep their settings in /etc; `ip netns exec` puts what is under /etc/netns/<name> in its place, so that the machine's own
// stay as they are.
describeWith(
  ['netns', 'root', 'ufw', 'firewall-cmd', 'dbus-daemon', 'dbus-send', 'polkit'],
  'the laboratory, with a firewall manager',
  () => {
    async function managed<T>(
      folder: string,
      begin: (lab: { host: Namespace }) => Promise<SystemBus | undefined>,
      body: (lab: { host: Namespace; env: NodeJS.ProcessEnv; etc: string }) => Promise<T>,
    ): Promise<T> {
      using host = new Namespace()
      using camera = new Namespace()
      const etc = `/etc/netns/${host.name}`
      try {
        for (const one of [folder, 'default']) cpSync(`/etc/${one}`, `${etc}/${one}`, { recursive: true })
        cable(host, { device: 'v0', cidr: `${HOST}/24` }, camera, { device: 'v1', cidr: `${CAMERA}/24` })
        await remoteSimulator(camera, { ...SMALL, address: CAMERA })
        using bus = await begin({ host })
        return await body({ host, env: bus?.env ?? {}, etc: `${etc}/${folder}` })
      } finally {
        rmSync(etc, { recursive: true, force: true })
      }
    }

    const ufwIn = async ({ host }: { host: Namespace }) => {
      host.exec('ufw', '--force', 'enable')
      return undefined
    }

    /** As it is printed, and then what takes it back, with what is seen after each. */
    function there(
      host: Namespace,
      env: NodeJS.ProcessEnv,
      commands: readonly RemedyCommand[],
      see: () => string,
    ): [string, string] {
      const settings = Object.entries(env).map((one) => one.join('='))
      const run = (command: string) => host.exec('env', ...settings, 'sh', '-c', command)
      for (const { command } of commands) run(command)
      const open = see()
      for (const { undo } of commands) run(undo!)
      return [open, see()]
    }

    // Its chains for IPv6 it completes by itself with the first rule that is added: those for IPv4 are looked at.
    it('ufw, by its defaults', async () => {
      const { findings, ms } = await managed('ufw', ufwIn, async ({ host }) => {
        const report = await look(host, { camera: CAMERA })
        await mend(host, report, {}, IPTABLES)
        return report
      })
      expect(findings[0]).toMatchObject({
        code: 'firewall.inbound-stream',
        confidence: 'certain',
        severity: 'warning',
      })
      expect(findings[0]!.evidence).toContain('ufw is enabled (input: DROP)')
      expect(findings[0]!.remedy!.commands[0]!.command).toMatch(/ ufw allow in on v0 /)
      expect(findings[1]?.code).toBe('firewall.broadcast-reply')
      expect(ms).toBeLessThan(3000)
    })

    it("ufw: a user's own rule for the same packets stays as it is", async () => {
      await managed('ufw', ufwIn, async ({ host, env }) => {
        const rule = { camera: CAMERA, nic: nic({ name: 'v0' }), mark: `gigewire-${CAMERA}-12345678` }
        const added = () => host.exec('ufw', 'show', 'added')
        const same = `in on v0 proto udp from ${CAMERA}`
        const own = [`allow ${same}`, `allow ${same} comment mine`, `deny ${same}`, `reject ${same}`]
        for (const one of own) {
          host.exec('ufw', ...one.split(' '))
          const before = added()
          expect([one, ...there(host, env, [ufw(rule)], added)]).toEqual([one, before, before])
          host.exec('ufw', 'delete', ...one.split(' comment ')[0]!.split(' '))
        }
        // For one port, or by another interface, it is another rule.
        host.exec('ufw', ...`allow ${same} to any port 5000`.split(' '))
        host.exec('ufw', ...`allow in on v00 proto udp from ${CAMERA}`.split(' '))
        const before = added()
        const [open, after] = there(host, env, [ufw(rule)], added)
        expect([open.includes(rule.mark), after]).toEqual([true, before])
      })
    })

    it('ufw: what a trial opens is written down nowhere', async () => {
      await managed('ufw', ufwIn, async ({ host, etc }) => {
        const report = await look(host, { camera: CAMERA })
        const written = () => readFileSync(path.join(etc, 'user.rules'), 'utf8')
        const before = written()
        const commands = planTrial(report.facts)
        expect(there(host, {}, commands, written)).toEqual([before, before])
        await mend(host, withCommands(report, commands), {}, IPTABLES)
      })
    })

    it('ufw: what forbids to send is mended', async () => {
      await managed('ufw', ufwIn, async ({ host, env }) => {
        host.exec('ufw', 'default', 'deny', 'outgoing') // written to /etc/default
        host.exec('ufw', 'allow', 'in', 'on', 'v0') // else what comes in is dropped as well
        const report = await look(host, { camera: CAMERA })
        expect(report.findings[0]?.code).toBe('firewall.outbound')
        await mend(host, report, env, IPTABLES)
      })
    })

    it('iptables alone: what forbids to send is mended', async () => {
      const nothing = async ({ host }: { host: Namespace }) => {
        host.exec('iptables', '-A', 'OUTPUT', '-p', 'udp', '-j', 'DROP')
        return undefined
      }
      await managed('ufw', nothing, async ({ host, env }) => {
        const report = await look(host, { camera: CAMERA })
        expect(report.findings[0]?.code).toBe('firewall.outbound')
        const linux = { iptables: { installed: true } }
        const commands = outboundCommands({ ...report.facts, firewall: { linux } })
        expect(commands[0]!.command).toMatch(/^iptables /)
        await mend(host, withCommands(report, commands), env, IPTABLES)
      })
    })

    it("firewalld: a trial ends by itself, and a user's own rule stays", async () => {
      await managed('firewalld', firewalldIn, async ({ host, env }) => {
        const report = await look(host, { camera: CAMERA }, env)
        await mend(host, withCommands(report, planTrial(report.facts)), env, NFT)
        const bus = `DBUS_SYSTEM_BUS_ADDRESS=${env.DBUS_SYSTEM_BUS_ADDRESS}`
        const firewall = (...args: string[]) => host.exec('env', bus, 'firewall-cmd', ...args)
        const rules = () => firewall('--list-rich-rules') + firewall('--permanent', '--list-rich-rules')
        const own = `rule family="ipv4" source address="${CAMERA}" protocol value="udp" accept`
        firewall(`--add-rich-rule=${own}`)
        firewall('--permanent', `--add-rich-rule=${own}`)
        const before = rules()
        const [open, after] = there(host, env, report.findings[0]!.remedy!.commands, rules)
        expect([before.split(own).length - 1, open === before, after]).toEqual([2, false, before])
        // It ends by itself as well.
        const [brief] = planTrial(report.facts, 1)
        host.exec('env', bus, 'sh', '-c', brief!.command)
        expect(rules()).not.toBe(before)
        await until(() => rules() === before, 'the rules as they were')
      })
    })

    it('firewalld, in its public zone', async () => {
      const { findings, ms } = await managed('firewalld', firewalldIn, async ({ host, env }) => {
        const report = await look(host, { camera: CAMERA }, env)
        await mend(host, report, env, NFT)
        return report
      })
      expect(findings[0]).toMatchObject({ code: 'firewall.inbound-reject', confidence: 'certain' })
      expect(findings[0]!.evidence).toContain('firewalld is running, default zone public')
      expect(findings[0]!.remedy!.commands.map(({ command }) => command.split(' ')[0])).toEqual([
        'firewall-cmd',
        'firewall-cmd',
      ])
      expect(ms).toBeLessThan(3000)
    })
  },
)
