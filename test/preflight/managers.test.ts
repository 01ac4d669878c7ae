// The laboratory with a firewall manager: what preflight says of its rules, and that it prints a command of that manager, which works.

import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'
import { until } from '../helpers/tools.mjs'
import { CAMERA, HOST, look, mend, NFT, SMALL } from './laboratory.js'

// Firewall managers keep their settings in /etc; `ip netns exec` puts what is under /etc/netns/<name> in its place, so that the machine's own
// stay as they are.
describeWith(
  ['netns', 'root', 'ufw', 'firewall-cmd', 'dbus-daemon'],
  'the laboratory, with a firewall manager',
  () => {
    async function managed(
      folder: string,
      list: [string, ...string[]],
      begin: (lab: { host: Namespace }) => Promise<NodeJS.ProcessEnv>,
    ) {
      using host = new Namespace()
      using camera = new Namespace()
      const etc = `/etc/netns/${host.name}`
      try {
        cpSync(`/etc/${folder}`, `${etc}/${folder}`, { recursive: true })
        cable(host, { device: 'v0', cidr: `${HOST}/24` }, camera, { device: 'v1', cidr: `${CAMERA}/24` })
        await remoteSimulator(camera, { ...SMALL, address: CAMERA })
        const env = await begin({ host })
        const report = await look(host, { camera: CAMERA }, env)
        await mend(host, report, env, list)
        return report
      } finally {
        rmSync(etc, { recursive: true, force: true })
      }
    }

    // Its chains for IPv6 it completes by itself with the first rule that is added: those for IPv4 are looked at.
    it('ufw, by its defaults', async () => {
      const { findings, ms } = await managed('ufw', ['iptables', '-S'], async ({ host }) => {
        host.exec('ufw', '--force', 'enable')
        return {}
      })
      expect(findings[0]).toMatchObject({
        code: 'firewall.inbound-stream',
        confidence: 'certain',
        severity: 'warning',
      })
      expect(findings[0]!.evidence).toContain('ufw is enabled (input: DROP)')
      expect(findings[0]!.remedy!.commands[0]!.command).toMatch(/^ufw allow in on v0 /)
      expect(findings[1]?.code).toBe('firewall.broadcast-reply')
      expect(ms).toBeLessThan(3000)
    })

    it('firewalld, in its public zone', async () => {
      const { findings } = await managed('firewalld', NFT, async ({ host }) => {
        const folder = mkdtempSync(path.join(tmpdir(), 'gigewire-dbus-'))
        const bus = `unix:path=${folder}/bus`
        const env = { DBUS_SYSTEM_BUS_ADDRESS: bus, GIGEWIRE_LAB_ROOT: '1' }
        host.spawn('dbus-daemon', ['--session', `--address=${bus}`, '--nofork', '--nopidfile'], {
          stdio: 'ignore',
        })
        await until(() => existsSync(`${folder}/bus`), 'the bus')
        host.spawn('env', [`DBUS_SYSTEM_BUS_ADDRESS=${bus}`, 'firewalld', '--nofork', '--nopid'], {
          stdio: 'ignore',
        })
        const running = () => {
          try {
            return host
              .exec('env', `DBUS_SYSTEM_BUS_ADDRESS=${bus}`, 'firewall-cmd', '--state')
              .includes('running')
          } catch {
            return false
          }
        }
        await until(running, 'firewalld')
        return env
      })
      expect(findings[0]).toMatchObject({ code: 'firewall.inbound-reject', confidence: 'certain' })
      expect(findings[0]!.evidence).toContain('firewalld is running, default zone public')
      expect(findings[0]!.remedy!.commands.map(({ command }) => command.split(' ')[0])).toEqual([
        'firewall-cmd',
        'firewall-cmd',
      ])
    })
  },
)
