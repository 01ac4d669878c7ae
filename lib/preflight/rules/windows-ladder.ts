// "Switch the firewall off and try again" on Windows, without doing so (reference/firewall.md section 7, steps 3 to 5): each step as commands for
// an administrator, with what takes it back; whatever opens something is preceded by a task of the system that shuts it after two minutes. Only
// printed: none of it has run on such a machine yet.

import type { Facts } from '../facts.js'
import type { RemedyCommand } from '../report.js'
import { powershell } from './quote.js'
import { windowsRule } from './windows.js'
import { judgeWindows } from './windows-judge.js'

export interface LadderStep {
  /** For people. */
  text: string
  commands: RemedyCommand[]
}

const elevated = (command: string, undo?: string): RemedyCommand => ({
  shell: 'powershell',
  command,
  ...(undo !== undefined && { undo }),
  elevated: true,
})

/** The steps that make sense on this machine, the mildest first. */
export function windowsLadder(facts: Facts): LadderStep[] {
  const audit = {
    text: 'Have Windows write down what it drops, run gigewire preflight, and read which filter it was ("Filter Origin").',
    commands: windowsAudit(facts),
  }
  const { policyManaged, why } = judgeWindows(facts)
  if (policyManaged || why === 'shields-up') return [audit] // a rule that is made here counts for nothing
  return [
    {
      text: 'Let the program in for two minutes, look again with gigewire preflight, and take it back.',
      commands: windowsTrial(facts),
    },
    audit,
    ...(canLeaveOut(facts)
      ? [
          {
            text: "Leave the camera's network interface out of the firewall for two minutes.",
            commands: windowsLeaveOut(facts),
          },
        ]
      : []),
  ]
}

/** First a task that takes it back and then itself, whatever becomes of this program. */
function watchdog(name: string, undo: string): RemedyCommand {
  const forget = `Unregister-ScheduledTask -TaskName ${name} -Confirm:$false`
  // Within double quotes of the task's own command line: what `undo` quotes is quoted singly.
  const argument = powershell(`-NoProfile -NonInteractive -Command "${undo}; ${forget}"`)
  const action = `(New-ScheduledTaskAction -Execute 'powershell.exe' -Argument ${argument})`
  return elevated(
    `Register-ScheduledTask -TaskName ${name} -User 'SYSTEM' -RunLevel Highest -Action ${action} -Trigger (New-ScheduledTaskTrigger -Once -At (Get-Date).AddMinutes(2))`,
    forget,
  )
}

export function windowsTrial(facts: Facts): RemedyCommand[] {
  const name = 'gigewire-trial'
  return [watchdog(name, `Remove-NetFirewallRule -Name ${name}`), windowsRule(name, facts)]
}

/** Filtering Platform Packet Drop, in every language. */
const PACKET_DROP = '{0CCE9225-69AE-11D9-BED3-505054503030}'

/** The events tell very much: on for as long as it takes, and off again. What it was before is printed first. */
export function windowsAudit({ camera }: Facts): RemedyCommand[] {
  const from = camera
    ? ` | Where-Object { $_.Message -match ${powershell(`\\b${camera.address.replaceAll('.', '\\.')}\\b`)} }`
    : ''
  const subcategory = powershell(`/subcategory:${PACKET_DROP}`)
  return [
    elevated(`auditpol /get ${subcategory}`),
    elevated(`auditpol /set ${subcategory} /failure:enable`, `auditpol /set ${subcategory} /failure:disable`),
    elevated(
      `Get-WinEvent -FilterHashtable @{ LogName = 'Security'; Id = 5152; StartTime = (Get-Date).AddMinutes(-5) }${from} | Select-Object -First 5 | Format-List TimeCreated, Message`,
    ),
  ]
}

/** Only an interface with nothing but cameras behind it: no way to other networks, and no radio. */
function canLeaveOut({ host, camera }: Facts): boolean {
  const nic = host.interfaces.find(({ name }) => name !== '' && name === host.route?.interface)
  if (!nic?.profile || camera === undefined) return false
  return (
    nic.gateway === undefined &&
    host.route?.gateway === undefined &&
    nic.wireless !== true &&
    host.environment.ssh !== true
  )
}

export function windowsLeaveOut({ host }: Facts): RemedyCommand[] {
  const nic = host.interfaces.find(({ name }) => name === host.route?.interface)
  if (!nic?.profile) return []
  const put = (aliases: string) =>
    `Set-NetFirewallProfile -Name ${nic.profile} -DisabledInterfaceAliases ${aliases}`
  const back = put('NotConfigured')
  return [watchdog('gigewire-leave-out', back), elevated(put(powershell(nic.name)), back)]
}
