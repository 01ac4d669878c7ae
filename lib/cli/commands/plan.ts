// `gigewire plan`: how cameras that share a link must be set so that all of them fit.

import type { Command } from 'commander'
import { applyBandwidthShare, collectBandwidthFacts, interfaceSpeed } from '../../bandwidth-camera.js'
import { type BandwidthPlan, type CameraBandwidthFacts, planBandwidth } from '../../bandwidth-plan.js'
import { openCamera } from '../../camera.js'
import { invalidArgument } from '../../errors.js'
import type { Camera, InterfaceInfo } from '../../types.js'
import { number } from '../arguments.js'
import { addOpenOptions, type OpenFlags, openOptions } from '../camera-session.js'
import type { Output } from '../output.js'
import { table } from '../table.js'

interface Flags extends OpenFlags {
  linkSpeed?: number
  headroom: number
  frameRate?: number
  apply?: boolean
}

export function addPlan(program: Command, output: Output): void {
  const command = program
    .command('plan <cameras...>')
    .description('packet sizes and delays with which cameras share a link without loss')
    .option('--link-speed <Mbit/s>', "of the shared link (default: the NIC's)", number(1))
    .option('--headroom <percent>', 'of it, left for resends and others', number(0, 90), 10)
    .option('--frame-rate <fps>', 'that each shall have (default: as it is set)', number(0.001))
    .option('--apply', 'write it to the cameras')
  addOpenOptions(command)
    .addHelpText(
      'after',
      `
Frames of all cameras may begin at the same moment: what each sends in a burst is held so low that all together fit. A stream
must then keep the planned packet size (--packet-size). Exit code 1 when the cameras cannot have what is wanted.

Examples:
  $ gigewire plan 192.168.1.20 192.168.1.21
  $ gigewire plan 192.168.1.20 192.168.1.21 --frame-rate 25 --apply`,
    )
    .action(async (targets: string[], flags: Flags) => {
      const access = flags.apply ? 'control' : 'monitor'
      const cameras: Camera[] = []
      try {
        for (const target of targets)
          cameras.push(await openCamera(target, openOptions({ ...flags, access })))
        await plan(cameras, flags, output)
      } finally {
        for (const camera of cameras) await camera.close()
      }
    })
}

async function plan(cameras: Camera[], flags: Flags, output: Output): Promise<void> {
  const link = sharedLink(cameras)
  const linkSpeed = flags.linkSpeed === undefined ? interfaceSpeed(link.name) : flags.linkSpeed * 1e6
  if (linkSpeed === undefined)
    throw invalidArgument(`The speed of ${link.name} is unknown`, 'Name it with --link-speed.')
  const facts: CameraBandwidthFacts[] = []
  for (const camera of cameras) {
    const collected = await collectBandwidthFacts(camera)
    facts.push(flags.frameRate === undefined ? collected : { ...collected, frameRate: flags.frameRate })
  }
  const result = planBandwidth(facts, { linkSpeed, headroom: flags.headroom / 100, mtu: link.mtu })
  if (flags.apply) {
    for (const [i, camera] of cameras.entries()) await applyBandwidthShare(camera, result.cameras[i]!)
  }
  output.object({ interface: link.name, linkSpeed, applied: flags.apply === true, ...result })
  for (const line of planLines(result, output)) output.line(line)
  if (result.feasible) return
  output.negative = true
  output.line(
    'They do not fit as wanted: lower their frame rates, make images smaller, or use a faster link.',
  )
}

function sharedLink(cameras: Camera[]): InterfaceInfo {
  const [first, ...others] = cameras.map(({ info }) => info.interface)
  const other = others.find(({ name }) => name !== first!.name)
  if (other)
    throw invalidArgument(
      `These cameras do not share a link: ${first!.name} and ${other.name}`,
      'Plan each NIC by itself.',
    )
  return first!
}

function planLines({ cameras, capacity, used }: BandwidthPlan, { style }: Output): string[] {
  const megabits = (bytes: number) => ((bytes * 8) / 1e6).toFixed(1)
  const head = ['camera', 'packet size', 'setting', 'Mbit/s at most', 'fps', ''].map((name) =>
    style.paint('bold', name),
  )
  const rows = cameras.map(
    ({ name, packetSize, packetDelay, throughputLimit, wireRate, frameRate, problem }) => [
      name,
      String(packetSize),
      packetDelay !== undefined
        ? `GevSCPD ${packetDelay}`
        : throughputLimit !== undefined
          ? `DeviceLinkThroughputLimit ${throughputLimit}`
          : 'none',
      megabits(wireRate),
      frameRate.toFixed(2),
      problem === undefined ? '' : style.paint('yellow', problem),
    ],
  )
  const sum = `${megabits(used)} of ${megabits(capacity)} Mbit/s, with everything that Ethernet adds`
  return [...table([head, ...rows]), `${style.paint('bold', 'together')} ${sum}`]
}
