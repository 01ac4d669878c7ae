// A system bus for firewalld inside of a test's network, with polkit, as machines have it: by it an ordinary user may ask what is told to
// everybody. The machine's own bus, if it has one, is never used.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Namespace } from './netns.js'
import { until } from './tools.mjs'

export const POLKITD = '/usr/lib/polkit-1/polkitd'

const CONFIGURATION = (socket: string) => `<busconfig>
  <type>system</type>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow send_type="method_call"/>
    <allow receive_type="method_call"/>
  </policy>
</busconfig>
`

export interface SystemBus extends Disposable {
  /** By which programs find it. */
  env: { DBUS_SYSTEM_BUS_ADDRESS: string }
}

/** Is there, with polkit, when it resolves; its processes end with the namespace. */
export async function systemBus(host: Namespace): Promise<SystemBus> {
  const folder = mkdtempSync(path.join(tmpdir(), 'gigewire-bus-'))
  const socket = `${folder}/bus`
  const env = { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${socket}` }
  writeFileSync(`${folder}/bus.conf`, CONFIGURATION(socket))
  host.exec('chmod', '755', folder) // ordinary users pass
  host.spawn('dbus-daemon', [`--config-file=${folder}/bus.conf`, '--nofork', '--nopidfile'], {
    stdio: 'ignore',
  })
  await until(() => existsSync(socket), 'the bus')
  host.spawn('env', [`DBUS_SYSTEM_BUS_ADDRESS=${env.DBUS_SYSTEM_BUS_ADDRESS}`, POLKITD, '--no-debug'], {
    stdio: 'ignore',
  })
  await until(() => names(host, env).includes('org.freedesktop.PolicyKit1'), 'polkit')
  return { env, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}

function names(host: Namespace, env: SystemBus['env']): string {
  return host.exec(
    'dbus-send',
    `--bus=${env.DBUS_SYSTEM_BUS_ADDRESS}`,
    '--print-reply',
    '--dest=org.freedesktop.DBus',
    '/org/freedesktop/DBus',
    'org.freedesktop.DBus.ListNames',
  )
}
