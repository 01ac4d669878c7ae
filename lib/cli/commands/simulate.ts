// `gigewire simulate`: one or more simulated cameras until Ctrl-C or SIGTERM; what they did is told at the end.

import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { isAddress } from '../../arguments.js'
import { ipv4Number, ipv4Text } from '../../ipv4.js'
import {
  type Simulator,
  type SimulatorOptions,
  type SimulatorStats,
  startSimulator,
} from '../../simulator.js'
import { bigNumber, wholeNumber } from '../arguments.js'
import { FAULT_HELP } from '../fault-options.js'
import { InterruptWatch, untilAborted } from '../interrupt.js'
import type { Output } from '../output.js'
import { addPictureOptions, type PictureOptions, pictureOptions } from '../simulator-options.js'
import { table } from '../table.js'

interface Flags extends PictureOptions {
  address: string
  count: number
  serial?: string
  model?: string
  manufacturer?: string
  userName?: string
  packetSize?: number
  packetSizeMin?: number
  packetSizeMax?: number
  packetSizeIncrement?: number
  resend?: boolean
  history?: number
  extendedIds?: boolean
  firstBlockId?: bigint
  chunks?: boolean
  variableHeight?: boolean
  allIn?: boolean
  payloadType?: number
  paddingX?: number
  zip?: boolean
  heartbeat?: number
  discoveryDelay?: number
  subnetMask?: string
  gateway?: string
  udpChecksum?: boolean
  gso?: boolean
  spin?: boolean
}

function address(text: string): string {
  if (!isAddress(text)) throw new InvalidArgumentError('It must be an IPv4 address.')
  return text
}

export function addSimulate(program: Command, output: Output): void {
  const command = program
    .command('simulate')
    .description('be a camera: for tests, demonstrations and load')
    .optionsGroup('Who it is:')
    .option('--address <address>', "one of this machine's addresses", address, '127.0.0.1')
    .option(
      '--count <cameras>',
      'so many cameras, on addresses counted up from there',
      wholeNumber(1, 250),
      1,
    )
    .option('--serial <text>', 'serial number (GW-SIM-1, GW-SIM-2, ...)')
    .option('--model <text>')
    .option('--manufacturer <text>')
    .option('--user-name <text>')
    .option('--subnet-mask <mask>', 'as it claims to have', address)
    .option('--gateway <address>', 'as it claims to have', address)
  addPictureOptions(command, 'Picture and faults:')
  command
    .optionsGroup('What it can:')
    .option('--packet-size <bytes>', 'initial GevSCPSPacketSize (1500)', wholeNumber(46, 65535))
    .option('--packet-size-min <bytes>', '(220)', wholeNumber(46, 65535))
    .option('--packet-size-max <bytes>', '(16384)', wholeNumber(46, 65535))
    .option('--packet-size-increment <bytes>', '(4)', wholeNumber(1, 65535))
    .option('--no-resend', 'it does not know PACKETRESEND')
    .option('--history <blocks>', 'that can be sent again (512)', wholeNumber(0, 0xffff_ffff))
    .option('--extended-ids', '64-bit block ids from the start')
    .option('--first-block-id <id>', '(1)', bigNumber)
    .option('--chunks', 'chunk data behind the image')
    .option('--variable-height', 'each frame has its own height')
    .option('--all-in', 'small frames go as one packet')
    .option('--payload-type <number>', 'other than image', wholeNumber(0, 65535))
    .option('--padding-x <bytes>', 'behind each line', wholeNumber(0, 65535))
    .option('--no-zip', 'description as plain XML')
    .option('--heartbeat <ms>', 'initial heartbeat timeout (3000)', wholeNumber(1, 0xffff_ffff))
    .option('--discovery-delay <ms>', 'answers to discovery come up to so much later', wholeNumber(0, 60_000))
    .optionsGroup('How it sends:')
    .option('--no-udp-checksum', 'UDP checksum 0, as many cameras')
    .option('--no-gso', 'no segmentation offload')
    .option('--spin', 'exact packet times; costs a core')
    .addHelpText(
      'after',
      `${FAULT_HELP}

Examples:
  $ gigewire simulate
  $ gigewire simulate --pattern TestCard --pixel-format BayerRG8 --frame-rate 10
  $ gigewire simulate --count 4 --fault loss=1% --fault burstLoss=0.0001
  $ gigewire simulate --address 10.0.0.2 --fault packetSize=clamp --fault clampSize=1440`,
    )
    .action(async (flags: Flags) => await simulate(flags, output))
}

function simulatorOptions(flags: Flags, index: number): SimulatorOptions {
  const serial = flags.serial ?? 'GW-SIM-1'
  const single = flags.count === 1
  return {
    ...pictureOptions(flags),
    address: addressPlus(flags.address, index),
    serial: single ? serial : `${flags.serial ?? 'GW-SIM'}-${index + 1}`,
    ...(flags.model !== undefined && { model: flags.model }),
    ...(flags.manufacturer !== undefined && { manufacturer: flags.manufacturer }),
    ...(flags.userName !== undefined && {
      userName: single ? flags.userName : `${flags.userName}-${index + 1}`,
    }),
    ...(flags.packetSize !== undefined && { packetSize: flags.packetSize }),
    ...(flags.packetSizeMin !== undefined && { packetSizeMin: flags.packetSizeMin }),
    ...(flags.packetSizeMax !== undefined && { packetSizeMax: flags.packetSizeMax }),
    ...(flags.packetSizeIncrement !== undefined && { packetSizeIncrement: flags.packetSizeIncrement }),
    ...(flags.resend === false && { resend: false }),
    ...(flags.history !== undefined && { resendHistoryBlocks: flags.history }),
    ...(flags.extendedIds && { extendedIds: true }),
    ...(flags.firstBlockId !== undefined && { firstBlockId: flags.firstBlockId }),
    ...(flags.chunks && { chunkMode: true }),
    ...(flags.variableHeight && { variableHeight: true }),
    ...(flags.allIn && { allIn: true }),
    ...(flags.payloadType !== undefined && { payloadType: flags.payloadType }),
    ...(flags.paddingX !== undefined && { paddingX: flags.paddingX }),
    ...(flags.zip === false && { zip: false }),
    ...(flags.heartbeat !== undefined && { heartbeatTimeout: flags.heartbeat }),
    ...(flags.discoveryDelay !== undefined && { discoveryDelay: flags.discoveryDelay }),
    ...(flags.subnetMask !== undefined && { subnetMask: flags.subnetMask }),
    ...(flags.gateway !== undefined && { gateway: flags.gateway }),
    ...(flags.udpChecksum === false && { udpChecksum: false }),
    ...(flags.gso === false && { gso: false }),
    ...(flags.spin && { spin: true }),
  }
}

function addressPlus(first: string, index: number): string {
  return ipv4Text(ipv4Number(first) + index)
}

async function simulate(flags: Flags, output: Output): Promise<void> {
  using watch = new InterruptWatch()
  const cameras: Simulator[] = []
  try {
    for (let i = 0; i < flags.count; i++) cameras.push(await startSimulator(simulatorOptions(flags, i)))
    for (const { address, serial } of cameras) {
      output.line(`ready: simulated camera ${serial} at ${address}`)
      output.object({ ready: true, address, serial })
    }
    output.note('Ctrl-C ends it.')
    await untilAborted(watch.signal)
    for (const camera of cameras) tell(camera, output)
  } finally {
    await Promise.all(cameras.map((camera) => camera.stop()))
  }
}

function tell(camera: Simulator, output: Output): void {
  const stats: SimulatorStats = camera.stats()
  output.object({ address: camera.address, serial: camera.serial, stats })
  output.line(`${camera.serial} at ${camera.address}`)
  const rows = Object.entries(stats)
    .filter(([, value]) => typeof value === 'number' && value > 0)
    .map(([name, value]) => [`  ${name}`, (value as number).toLocaleString('en-US')])
  for (const line of table(rows)) output.line(line)
}
