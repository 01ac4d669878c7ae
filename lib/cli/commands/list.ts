// `gigewire list`: which cameras answer, through which network interface, and why one cannot be used.

import os from 'node:os'
import type { Command } from 'commander'
import { discover, watchCameras } from '../../discovery.js'
import type { CameraChange, CameraInfo, DiscoverOptions, DiscoveryWarning } from '../../types.js'
import { collect, wholeNumber } from '../arguments.js'
import { InterruptWatch } from '../interrupt.js'
import type { Output } from '../output.js'
import { printable, table } from '../table.js'

interface Flags {
  watch?: boolean
  timeout?: number
  interface?: string[]
  address?: string[]
}

export function addList(program: Command, output: Output): void {
  program
    .command('list')
    .description('find cameras')
    .option('-w, --watch', 'go on, and tell what appears, changes and disappears')
    .option(
      '--timeout <ms>',
      'how long to wait for answers (2000; --watch: 1000 per round)',
      wholeNumber(1, 600_000),
    )
    .option('--interface <name>', 'only through this interface (name or address); repeatable', collect)
    .option(
      '--address <address>',
      'also ask this address, which broadcast does not reach; repeatable',
      collect,
    )
    .addHelpText(
      'after',
      `
Examples:
  $ gigewire list
  $ gigewire list --interface eth1 --timeout 1000
  $ gigewire list --address 10.1.2.3
  $ gigewire list --watch --json`,
    )
    .action(async (flags: Flags) => {
      const options = {
        ...(flags.timeout !== undefined && { timeout: flags.timeout }),
        ...(flags.interface && { interfaces: flags.interface }),
        ...(flags.address && { addresses: flags.address }),
        onWarning: ({ message }: DiscoveryWarning) => output.warn(message),
      }
      await (flags.watch ? watch(options, output) : listOnce(options, output))
    })
}

type Options = Pick<DiscoverOptions, 'timeout' | 'interfaces' | 'addresses' | 'onWarning'>

async function listOnce(options: Options, output: Output): Promise<void> {
  using interrupt = new InterruptWatch()
  const cameras = await discover({ ...options, signal: interrupt.signal })
  for (const camera of cameras) output.object(camera)
  if (cameras.length === 0) {
    const nics = options.interfaces ?? Object.keys(os.networkInterfaces())
    output.note(
      `No camera answered within ${options.timeout ?? 2000} ms on ${nics.join(', ') || 'no interface'}.`,
    )
    output.note('One behind a router or a firewall that drops answers to broadcasts is found with --address.')
    return
  }
  const { style } = output
  const rows = cameras.map((camera) => [
    camera.address,
    printable(camera.manufacturer),
    printable(camera.model),
    printable(camera.serial),
    printable(camera.userName),
    camera.mac,
    camera.interface.name,
    style.paint(camera.reachable ? 'green' : 'yellow', state(camera)),
  ])
  const head = ['ADDRESS', 'MAKER', 'MODEL', 'SERIAL', 'NAME', 'MAC', 'THROUGH', 'STATE'].map((text) =>
    style.paint('dim', text),
  )
  for (const line of table([head, ...rows])) output.line(line)
}

/** Whether it can be used; if not, why; and whether it is in the list twice. */
function state(camera: CameraInfo): string {
  const use = camera.reachable ? 'ready' : printable(camera.unreachableReason ?? 'not reachable')
  return camera.duplicateOf === undefined ? use : `${use}; the same camera as through ${camera.duplicateOf}`
}

async function watch(options: Options, output: Output): Promise<void> {
  using interrupt = new InterruptWatch()
  output.note('Watching; Ctrl-C ends it.')
  try {
    for await (const change of watchCameras({ ...options, signal: interrupt.signal })) tell(change, output)
  } catch (error) {
    if (!interrupt.signal.aborted) throw error // only a signal ends it: that is success
  }
}

function tell(change: CameraChange, output: Output): void {
  output.object(change)
  const { style } = output
  const signs = {
    added: style.paint('green', '+'),
    changed: style.paint('yellow', '~'),
    removed: style.paint('red', '-'),
  }
  output.line(`${signs[change.type]} ${describe(change.camera)}`)
}

function describe(camera: CameraInfo): string {
  const name = [camera.manufacturer, camera.model, camera.serial].map(printable).filter(Boolean).join(' ')
  const remark = camera.reachable && camera.duplicateOf === undefined ? '' : `: ${state(camera)}`
  return `${camera.address}  ${camera.mac}  ${name}  (${camera.interface.name})${remark}`
}
