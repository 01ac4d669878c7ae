// Commands for Windows Defender's firewall (reference/firewall.md section 1.4). Values are quoted, never part of the script; a rule has a name of
// its own, so that adding it twice makes one.

import { createHash } from 'node:crypto'
import type { Facts } from '../facts.js'
import type { RemedyCommand } from '../report.js'
import { powershell } from './quote.js'
import type { WindowsRule } from './windows-grammar.js'

export function windowsAllow(facts: Facts): RemedyCommand[] {
  const name = `gigewire/${createHash('sha256').update(facts.plan.programRealPath.toLowerCase()).digest('hex').slice(0, 12)}`
  return [allow(name, facts)]
}

/**
 * The same rule for a moment: first a task of the system that deletes it after two minutes, and then itself, whatever becomes of this
 * program; then the rule (reference/firewall.md section 7, step 3).
 */
export function windowsTrial(facts: Facts): RemedyCommand[] {
  const name = 'gigewire-trial'
  const forget = `Unregister-ScheduledTask -TaskName ${name} -Confirm:$false`
  const watchdog = powershell(
    `-NoProfile -NonInteractive -Command "Remove-NetFirewallRule -Name ${name}; ${forget}"`,
  )
  const action = `(New-ScheduledTaskAction -Execute 'powershell.exe' -Argument ${watchdog})`
  return [
    {
      shell: 'powershell',
      command: `Register-ScheduledTask -TaskName ${name} -User 'SYSTEM' -RunLevel Highest -Action ${action} -Trigger (New-ScheduledTaskTrigger -Once -At (Get-Date).AddMinutes(2))`,
      undo: forget,
      elevated: true,
    },
    allow(name, facts),
  ]
}

function allow(name: string, { plan, camera, host }: Facts): RemedyCommand {
  const program = plan.programRealPath
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
