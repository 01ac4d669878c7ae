// Commands for Windows Defender's firewall (reference/firewall.md section 1.4). Values are quoted, never part of the script; a rule has a name of
// its own, so that adding it twice makes one.

import { createHash } from 'node:crypto'
import { inSubnet } from '../../ipv4.js'
import type { Facts } from '../facts.js'
import type { RemedyCommand } from '../report.js'
import { powershell } from './quote.js'
import type { WindowsRule } from './windows-grammar.js'

export function windowsAllow(facts: Facts): RemedyCommand[] {
  return [windowsRule(ruleName(facts), facts)]
}

/** Of the program, so that adding it twice makes one. */
function ruleName({ plan }: Facts): string {
  const hash = createHash('sha256').update(plan.programRealPath.toLowerCase()).digest('hex')
  return `gigewire/${hash.slice(0, 12)}`
}

/** The camera's subnet, as long as it is this computer's: LocalSubnet has nobody behind a router in it. */
function sendersOf({ camera, host }: Facts): string {
  if (!camera) return 'LocalSubnet'
  const near = host.interfaces.some((nic) => !nic.loopback && inSubnet(camera.address, nic))
  return near && host.route?.gateway === undefined ? 'LocalSubnet' : camera.address
}

/** Of a pinned stream port; the system chooses others anew each time, and that of the camera's events is such a one. */
function portsText({ plan: { streamPort, messageChannel } }: Facts): string | undefined {
  if (messageChannel) return undefined
  return Array.isArray(streamPort) ? streamPort.join('-') : streamPort?.toString()
}

/**
 * The same rule for cmd.exe, by the tool that every Windows has. undefined: nothing quotes such a path there, where a percent sign is replaced
 * even between quotes, and a backslash at the end would take the quote for its own.
 */
export function netshAllow(facts: Facts): RemedyCommand | undefined {
  const program = facts.plan.programRealPath
  if (/["%!\r\n]|\\$/.test(program)) return undefined
  const name = ruleName(facts)
  const settings = [
    `name="${name}"`,
    'dir=in action=allow protocol=udp profile=any enable=yes',
    `program="${program}"`,
    `localport=${portsText(facts) ?? 'any'}`,
    `remoteip=${sendersOf(facts).toLowerCase()}`,
  ]
  return {
    shell: 'cmd',
    command: `netsh advfirewall firewall add rule ${settings.join(' ')}`,
    undo: `netsh advfirewall firewall delete rule name="${name}"`,
    elevated: true,
  }
}

/** Lets the program have what the camera sends. */
export function windowsRule(name: string, facts: Facts): RemedyCommand {
  const { plan } = facts
  const ports = portsText(facts)
  const program = plan.programRealPath
  const settings = [
    `-Name ${powershell(name)}`,
    `-DisplayName ${powershell(`gigewire (${program.split(/[\\/]/).at(-1)})`)}`,
    `-Group ${powershell('gigewire')}`,
    '-Direction Inbound -Action Allow -Protocol UDP -Profile Any -Enabled True',
    `-Program ${powershell(program)}`,
    `-RemoteAddress ${powershell(sendersOf(facts))}`,
    ...(ports === undefined ? [] : [`-LocalPort ${powershell(ports)}`]),
  ]
  return {
    shell: 'powershell',
    command: `New-NetFirewallRule ${settings.join(' ')}`,
    undo: `Remove-NetFirewallRule -Name ${powershell(name)}`,
    elevated: true,
  }
}

/** Compared letter by letter: names of such rules hold what PowerShell takes for wildcards. */
export function windowsDisable(rules: readonly WindowsRule[]): RemedyCommand[] {
  return rules
    .filter(({ store }) => store === 'local')
    .map(({ id }) => {
      const found = `Get-NetFirewallRule | Where-Object { $_.Name -ceq ${powershell(id)} }`
      return {
        shell: 'powershell',
        command: `${found} | Disable-NetFirewallRule`,
        undo: `${found} | Enable-NetFirewallRule`,
        elevated: true,
      }
    })
}
