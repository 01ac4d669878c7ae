// Commands for Windows Defender's firewall (reference/firewall.md section 1.4). Values are quoted, never part of the script; a rule has a name of
// its own, so that adding it twice makes one.

import { createHash } from 'node:crypto'
import type { Facts } from '../facts.js'
import type { RemedyCommand } from '../report.js'
import { powershell } from './quote.js'
import type { WindowsRule } from './windows-grammar.js'

export function windowsAllow({ plan, camera, host }: Facts): RemedyCommand[] {
  const program = plan.programRealPath
  const name = `gigewire/${createHash('sha256').update(program.toLowerCase()).digest('hex').slice(0, 12)}`
  const routed = host.route?.gateway !== undefined
  const from = camera && routed ? camera.address : 'LocalSubnet'
  const settings = [
    `-Name ${powershell(name)}`,
    `-DisplayName ${powershell(`gigewire (${program.split(/[\\/]/).at(-1)})`)}`,
    `-Group ${powershell('gigewire')}`,
    '-Direction Inbound -Action Allow -Protocol UDP -Profile Any -Enabled True',
    `-Program ${powershell(program)}`,
    `-RemoteAddress ${powershell(from)}`,
  ]
  return [
    {
      shell: 'powershell',
      command: `New-NetFirewallRule ${settings.join(' ')}`,
      undo: `Remove-NetFirewallRule -Name ${powershell(name)}`,
      elevated: true,
    },
  ]
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
