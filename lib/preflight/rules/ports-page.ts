// The page for whoever looks after a network or a policy: what has to pass, why, and the commands of this computer's firewall. Made of the
// same table and the same generator as everything else (requirement WIL-2).

import type { Facts } from '../facts.js'
import type { RemedyCommand } from '../report.js'
import { portsAsMarkdown, requiredPorts } from './ports.js'
import { remedyFor } from './remedies.js'

const LANGUAGES: Record<RemedyCommand['shell'], string> = {
  sh: 'sh',
  powershell: 'powershell',
  cmd: 'bat',
  text: '',
}

export function portsPage(facts: Facts): string {
  const { camera, plan } = facts
  const rows = requiredPorts(facts)
  const reasons = rows.map(({ id, direction, purpose, whenClosed, required }) => {
    const way = direction === 'in' ? 'inbound' : 'outbound'
    return `* **${id}** (${way}${required ? '' : ', not always needed'}): ${purpose}. When closed: ${whenClosed}`
  })
  return [
    `# What has to pass between ${plan.programRealPath} and ${camera?.address ?? 'its cameras'}\n`,
    portsAsMarkdown(rows),
    '## Why\n',
    `${reasons.join('\n')}\n`,
    ...commandsOf(facts),
  ].join('\n')
}

/** Nothing where the way to the camera is not known: a rule that names neither interface nor camera would be too wide. */
function commandsOf(facts: Facts): string[] {
  const remedy = remedyFor('firewall.inbound-stream', facts)
  const commands = [...(remedy?.commands ?? []), ...(remedy?.alternatives ?? [])]
  if (!facts.camera || commands.length === 0) return []
  const blocks = commands.map(({ shell, command, undo }) =>
    [`\`\`\`${LANGUAGES[shell]}`, command, ...(undo === undefined ? [] : [`# undo: ${undo}`]), '```\n'].join(
      '\n',
    ),
  )
  return [
    '## On this computer, as an administrator\n',
    'Each block by itself; where two do the same for different shells, one of them.\n',
    ...blocks,
  ]
}
