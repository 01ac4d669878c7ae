// What must pass for this configuration: one table, from which every firewall's rules, the pages of documentation and the list for a network
// administrator are made (requirements WIL-1 to WIL-5, WIL-14).

import type { Facts, PlanFacts } from '../facts.js'
import type { PortRequirement } from '../report.js'

export const GVCP_PORT = 3956

export interface PortsConfig {
  plan: PlanFacts
  /** Address of the camera; absent: any of its network. */
  camera?: string
  /** Own address towards it. */
  local?: string
}

/** What has to pass between this computer and the camera, by the facts of a report: `requiredPorts(report.facts)`. */
export function requiredPorts(facts: Facts): PortRequirement[] {
  const local = facts.host.route?.source
  return portsOf({
    plan: facts.plan,
    ...(facts.camera && { camera: facts.camera.address }),
    ...(local && { local }),
  })
}

export function portsOf({ plan, camera = 'any', local = 'any' }: PortsConfig): PortRequirement[] {
  const streamPort = plan.streamPort ?? 'dynamic'
  const common = {
    protocol: 'udp' as const,
    remoteAddress: camera,
    localAddress: local,
    network: 'camera' as const,
    cast: 'unicast' as const,
    required: true,
    program: plan.programRealPath,
  }
  const rows: PortRequirement[] = [
    {
      ...common,
      id: 'gvcp-discovery-out',
      purpose: 'Asks all cameras who is there',
      direction: 'out',
      localPort: 'dynamic',
      remotePort: GVCP_PORT,
      remoteAddress: '255.255.255.255 and the broadcast address of each subnet',
      cast: 'broadcast',
      required: false,
      when: 'looking for cameras',
      whenClosed: 'No camera is found; those whose address is known can be opened all the same.',
    },
    {
      ...common,
      id: 'gvcp-discovery-in',
      purpose: 'Cameras answer a broadcast',
      direction: 'in',
      localPort: 'dynamic',
      remotePort: GVCP_PORT,
      required: false,
      when: 'looking for cameras',
      whenClosed: 'No camera is found; those whose address is known can be opened all the same.',
    },
    {
      ...common,
      id: 'gvcp-control',
      purpose: 'Commands to the camera, and its answers',
      direction: 'out',
      localPort: 'dynamic',
      remotePort: GVCP_PORT,
      when: 'always',
      whenClosed: 'The camera cannot be opened.',
    },
    {
      ...common,
      id: 'gvsp-stream',
      purpose: 'The images',
      direction: 'in',
      localPort: streamPort,
      remotePort: 'dynamic',
      when: 'streaming, and finding the packet size',
      whenClosed: 'No image arrives: "could not negotiate packet size".',
      ...(plan.multicast !== undefined && {
        localAddress: plan.multicast,
        cast: 'multicast' as const,
      }),
      ...(plan.streamDestination !== undefined && { localAddress: plan.streamDestination }),
    },
    {
      ...common,
      id: 'gvsp-punch',
      purpose: 'Opens the way in for the images in stateful firewalls, and keeps it open',
      direction: 'out',
      localPort: streamPort,
      remotePort: 'dynamic',
      required: false,
      when: 'streaming, where the camera tells its port',
      whenClosed: 'A rule for the row gvsp-stream is needed.',
    },
    {
      ...common,
      id: 'gvcp-resend',
      purpose: 'Asks for lost packets again',
      direction: 'out',
      localPort: 'dynamic',
      remotePort: GVCP_PORT,
      required: false,
      when: 'streaming, where the camera can resend',
      whenClosed: 'Lost packets stay lost.',
    },
  ]
  if (plan.multicast !== undefined) {
    rows.push({
      ...common,
      id: 'igmp',
      purpose: 'Joins the multicast group of the images',
      protocol: 'igmp',
      direction: 'out',
      localPort: 'dynamic',
      remotePort: 'dynamic',
      remoteAddress: plan.multicast,
      cast: 'multicast',
      when: 'streaming to a group',
      whenClosed: 'Switches that look into IGMP do not pass the images on to this computer.',
    })
  }
  if (plan.messageChannel) {
    rows.push({
      ...common,
      id: 'message-channel',
      purpose: "The camera's events",
      direction: 'in',
      localPort: 'dynamic',
      remotePort: 'dynamic',
      when: 'events are switched on',
      whenClosed: 'No event arrives.',
    })
  }
  if (plan.ptp) {
    for (const [direction, port, what] of [
      ['in', 319, 'events'],
      ['out', 319, 'events'],
      ['in', 320, 'general messages'],
      ['out', 320, 'general messages'],
    ] as const) {
      rows.push({
        ...common,
        id: `ptp-${port}-${direction}`,
        purpose: `One clock for all cameras (PTP, ${what})`,
        direction,
        localPort: port,
        remotePort: port,
        remoteAddress: '224.0.1.129',
        cast: 'multicast',
        required: false,
        when: 'cameras keep one clock, and this computer takes part; among the cameras nothing of it passes here',
        whenClosed: 'Their clock and that of this computer drift apart.',
        program: 'the PTP service of this computer',
      })
    }
  }
  return rows
}

const portText = (port: PortRequirement['localPort']) => (Array.isArray(port) ? port.join('-') : String(port))

const COLUMNS: [title: string, cell: (row: PortRequirement) => string][] = [
  ['id', (row) => row.id],
  ['direction', (row) => row.direction],
  ['protocol', (row) => row.protocol],
  ['local address', (row) => row.localAddress],
  ['local port', (row) => portText(row.localPort)],
  ['remote address', (row) => row.remoteAddress],
  ['remote port', (row) => portText(row.remotePort)],
  ['cast', (row) => row.cast],
  ['network', (row) => row.network],
  ['required', (row) => (row.required ? 'yes' : 'no')],
  ['when', (row) => row.when],
  ['program', (row) => row.program],
  ['purpose', (row) => row.purpose],
  ['when closed', (row) => row.whenClosed],
]

export function portsTable(rows: readonly PortRequirement[]): string[][] {
  return [COLUMNS.map(([title]) => title), ...rows.map((row) => COLUMNS.map(([, cell]) => cell(row)))]
}

export function portsAsMarkdown(rows: readonly PortRequirement[]): string {
  const [titles, ...cells] = portsTable(rows)
  const line = (columns: string[]) => `| ${columns.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return `${[line(titles!), line(titles!.map(() => '---')), ...cells.map(line)].join('\n')}\n`
}

/** RFC 4180. */
export function portsAsCsv(rows: readonly PortRequirement[]): string {
  const field = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  return portsTable(rows)
    .map((columns) => `${columns.map(field).join(',')}\r\n`)
    .join('')
}
