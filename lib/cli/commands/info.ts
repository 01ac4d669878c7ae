// `gigewire info`: one camera on one page. Only reads, so a camera in use may be asked.

import type { Command } from 'commander'
import type { NodeMap } from '../../genapi/index.js'
import { ipv4Text } from '../../ipv4.js'
import type { Camera, IpConfiguration } from '../../types.js'
import { addOpenOptions, type OpenFlags, withCamera } from '../camera-session.js'
import { messageOf } from '../feature-text.js'
import type { Output } from '../output.js'
import { printable, table } from '../table.js'

const CONTROL_PRIVILEGE = 0x0a00
const PRIMARY_PORT = 0x0a04
const PRIMARY_ADDRESS = 0x0a14
const HEARTBEAT_TIMEOUT = 0x0938
const PACKET_SIZE = 0x0d04

/** What most cameras have and most people ask for. */
const FEATURES = [
  'Width',
  'Height',
  'PixelFormat',
  'PayloadSize',
  'AcquisitionMode',
  'AcquisitionFrameRate',
  'ExposureTime',
  'Gain',
  'TriggerMode',
  'DeviceTemperature',
]

export function addInfo(program: Command, output: Output): void {
  const command = program.command('info <camera>').description('who a camera is and how it is set')
  addOpenOptions(command)
    .addHelpText(
      'after',
      `
It only reads; a camera that another application controls can be asked, too.

Examples:
  $ gigewire info 192.168.1.20
  $ gigewire info 192.168.1.20 --json`,
    )
    .action(async (target: string, flags: OpenFlags) => {
      await withCamera(target, flags, 'monitor', async (camera) => await show(camera, output))
    })
}

type Facts = Record<string, unknown>

async function show(camera: Camera, output: Output): Promise<void> {
  const { info } = camera
  const registers = await readRegisters(camera)
  const ip = await camera.readIpConfiguration().catch(() => undefined)
  const features = await commonFeatures(camera.features)
  const description = camera.features.info
  output.object({ ...info, ...registers, ip, description, features: features.values })
  const rows: [string, string][] = [
    ['camera', [info.manufacturer, info.model, info.version].map(printable).join(' ')],
    ['serial', printable(info.serial) || '(none)'],
    ['name', printable(info.userName) || '(none)'],
    ['about', printable(info.manufacturerInfo)],
    ['MAC', info.mac],
    ['address', `${info.address}, mask ${info.subnetMask}, gateway ${info.gateway}`],
    ['through', `${info.interface.name || '?'} ${info.interface.address}, MTU ${info.interface.mtu}`],
    ...ipRows(ip),
    ['GigE Vision', info.specVersion],
    [
      'control',
      registers.holder
        ? `${registers.control} by ${registers.holder.address}:${registers.holder.port}`
        : registers.control,
    ],
    ['heartbeat', `${registers.heartbeatTimeout} ms`],
    ['packet size', `${registers.packetSize} bytes (as set now)`],
    [
      'description',
      `${printable(description.vendorName)} ${printable(description.modelName)} ${description.version}, GenApi ${description.schemaVersion}`,
    ],
    ...features.texts,
  ]
  const { style } = output
  for (const line of table(rows.map(([name, value]) => [style.paint('bold', name), value]))) output.line(line)
}

function ipRows(ip: IpConfiguration | undefined): [string, string][] {
  if (!ip) return []
  const list = (methods: string[]) => methods.join(', ') || 'none'
  return [['IP methods', `${list(ip.enabled)} on; ${list(ip.supported)} supported`]]
}

async function readRegisters(camera: Camera) {
  const read = async (address: number): Promise<number | undefined> =>
    await camera.readRegister(address).catch(() => undefined)
  const privilege = await read(CONTROL_PRIVILEGE)
  return {
    control: privilege === undefined ? 'unknown' : privilegeName(privilege),
    holder: ((privilege ?? 0) & 3) !== 0 ? await readHolder(read) : undefined,
    heartbeatTimeout: await read(HEARTBEAT_TIMEOUT),
    packetSize: ((await read(PACKET_SIZE)) ?? 0) & 0xffff,
  }
}

/** Where the camera tells it. */
async function readHolder(read: (register: number) => Promise<number | undefined>) {
  const address = await read(PRIMARY_ADDRESS)
  if (!address) return undefined
  return {
    address: ipv4Text(address),
    port: ((await read(PRIMARY_PORT)) ?? 0) & 0xffff,
  }
}

function privilegeName(privilege: number): string {
  if ((privilege & 1) !== 0) return 'held exclusively'
  return (privilege & 2) !== 0 ? 'held' : 'free'
}

interface Common {
  values: Facts
  texts: [string, string][]
}

async function commonFeatures(features: NodeMap): Promise<Common> {
  const common: Common = { values: {}, texts: [] }
  for (const name of FEATURES) {
    if (!features.has(name)) continue
    try {
      const node = features.node(name)
      common.values[name] = await node.get()
      common.texts.push([name, `${printable(await node.getText())}${node.unit ? ` ${node.unit}` : ''}`])
    } catch (error) {
      common.texts.push([name, `(${messageOf(error)})`])
    }
  }
  return common
}
