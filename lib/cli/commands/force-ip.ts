// `gigewire force-ip`: an address for now, also for a camera in another subnet.

import { type Command, InvalidArgumentError } from 'commander'
import { isAddress } from '../../arguments.js'
import { forceIp } from '../../discovery.js'
import { wholeNumber } from '../arguments.js'
import { describeCamera } from '../camera-session.js'
import type { Output } from '../output.js'

interface Flags {
  netmask?: string
  gateway?: string
  interface?: string
  timeout?: number
}

export function addressArgument(text: string): string {
  if (!isAddress(text)) throw new InvalidArgumentError('It must be an IPv4 address.')
  return text
}

export function addForceIp(program: Command, output: Output): void {
  program
    .command('force-ip')
    .description('give a camera an address until its next restart')
    .argument('<mac>', 'as `gigewire list` shows it')
    .argument('<address>', '0.0.0.0: start its usual configuration again', addressArgument)
    .option('--netmask <mask>', '255.255.255.0 by default', addressArgument)
    .option('--gateway <address>', '', addressArgument)
    .option('--interface <name>', 'the one it is behind; default: where it is seen')
    .option('--timeout <ms>', 'how long to wait for it at its new address (5000)', wholeNumber(1, 600_000))
    .addHelpText(
      'after',
      `
Works for cameras in another subnet, which cannot be opened. A camera that an application controls ignores it.

Examples:
  $ gigewire force-ip 00:11:1c:f5:a0:b1 192.168.1.20
  $ gigewire force-ip 00:11:1c:f5:a0:b1 192.168.1.20 --netmask 255.255.0.0 --interface eth1`,
    )
    .action(async (mac: string, address: string, flags: Flags) => {
      const camera = await forceIp({
        mac,
        address,
        ...(address !== '0.0.0.0' && { subnetMask: flags.netmask ?? '255.255.255.0' }),
        ...(flags.gateway !== undefined && { gateway: flags.gateway }),
        ...(flags.interface !== undefined && { interface: flags.interface }),
        ...(flags.timeout !== undefined && { timeout: flags.timeout }),
      })
      output.line(`now: ${describeCamera(camera)}`)
      output.object(camera)
    })
}
