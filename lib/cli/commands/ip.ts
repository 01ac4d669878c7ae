// `gigewire ip`: how a camera gets its address, and the address it keeps over restarts.

import type { Command } from 'commander'
import type { Camera, IpConfiguration } from '../../types.js'
import { addOpenOptions, type OpenFlags, withCamera } from '../camera-session.js'
import type { Output } from '../output.js'
import { table } from '../table.js'
import { addressArgument } from './force-ip.js'

interface Flags extends OpenFlags {
  address?: string
  netmask?: string
  gateway?: string
  persistent?: boolean
  dhcp?: boolean
}

export function addIp(program: Command, output: Output): void {
  const command = program
    .command('ip <camera>')
    .description('show or change how a camera gets its address')
    .option('--address <address>', 'persistent address from the next restart on', addressArgument)
    .option('--netmask <mask>', 'of the persistent address (255.255.255.0)', addressArgument)
    .option('--gateway <address>', 'of the persistent address', addressArgument)
    .option('--persistent', 'switch the persistent address on (implied by --address)')
    .option('--no-persistent', 'switch it off')
    .option('--dhcp', 'switch DHCP on')
    .option('--no-dhcp', 'switch DHCP off')
  addOpenOptions(command)
    .addHelpText(
      'after',
      `
Without changes it only reads. Changes take effect at the camera's next restart, or with
  $ gigewire force-ip <mac> 0.0.0.0

Examples:
  $ gigewire ip 192.168.1.20
  $ gigewire ip 192.168.1.20 --address 192.168.1.21 --gateway 192.168.1.1
  $ gigewire ip 192.168.1.20 --no-persistent --dhcp`,
    )
    .action(async (target: string, flags: Flags) => {
      const { address, netmask, gateway, persistent, dhcp } = flags
      const changes = address !== undefined || persistent !== undefined || dhcp !== undefined
      if (!changes && (netmask !== undefined || gateway !== undefined)) {
        command.error('error: --netmask and --gateway belong to an --address', {
          code: 'gigewire.usage',
          exitCode: 2,
        })
      }
      await withCamera(target, flags, changes ? 'control' : 'monitor', async (camera) => {
        if (changes) await change(camera, flags)
        tell(await camera.readIpConfiguration(), output)
      })
    })
}

/** What is not named stays as it is. */
async function change(camera: Camera, flags: Flags): Promise<void> {
  const { persistent: kept, enabled } = await camera.readIpConfiguration()
  const fresh = flags.address !== undefined
  await camera.setPersistentIp({
    address: flags.address ?? kept.address,
    subnetMask: flags.netmask ?? (fresh ? '255.255.255.0' : kept.subnetMask),
    gateway: flags.gateway ?? (fresh ? '0.0.0.0' : kept.gateway),
    persistent: flags.persistent ?? (fresh || enabled.includes('persistent')),
    dhcp: flags.dhcp ?? enabled.includes('dhcp'),
  })
}

function tell(ip: IpConfiguration, output: Output): void {
  output.object(ip)
  const list = (methods: string[]) => methods.join(', ') || 'none'
  const kept = ip.persistent
  const rows = [
    ['now', `${ip.address}, mask ${ip.subnetMask}, gateway ${ip.gateway}`],
    ['persistent', `${kept.address}, mask ${kept.subnetMask}, gateway ${kept.gateway}`],
    ['methods on', list(ip.enabled)],
    ['methods known', list(ip.supported)],
  ]
  for (const line of table(rows)) output.line(line)
}
