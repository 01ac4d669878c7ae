// What Wireshark makes of the traffic: tshark's dissectors for GVCP and GVSP were written by others.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Namespace } from './netns.js'
import { until } from './tools.mjs'

/** The last packet of a capture; no longer than what opens firewalls, which is neither GVCP nor GVSP either. */
const LAST = 'the end.'

export interface Capture extends Disposable {
  /** Ends it when all that the device has seen up to now is in the file. */
  stop(): Promise<void>
  /** Values of a field, of the packets that a display filter lets through. */
  values(filter: string, field: string): string[]
  /** Several fields of each such packet: '' where it lacks one, all values with commas between where it has more. */
  rows<Field extends string>(filter: string, fields: readonly Field[]): Record<Field, string>[]
  count(filter: string): number
}

/** Resolves when tshark is capturing on the device. streamPort: the camera's, where it is known; else Wireshark has to guess. */
export async function capture(where: Namespace, device: string, streamPort?: number): Promise<Capture> {
  const folder = mkdtempSync(path.join(tmpdir(), 'gigewire-capture-'))
  const file = path.join(folder, 'traffic.pcapng')
  const child = where.spawn('tshark', ['-i', device, '-B', '64', '-w', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    let said = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (said.includes('Capture started')) resolve()
    })
    child.on('close', () => reject(new Error(`tshark: ${said}`)))
  })
  const decode =
    streamPort === undefined ? ['--enable-heuristic', 'gvsp_udp'] : ['-d', `udp.port==${streamPort},gvsp`]
  const read = (filter: string, ...more: string[]) =>
    execFileSync('tshark', ['-r', file, ...decode, '-Y', filter, ...more], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, LD_PRELOAD: undefined }, // as in netns.ts
    })
      .split('\n')
      .filter((line) => line !== '')
  return {
    async stop() {
      // The kernel hands packets over in blocks, and what is in the last one would be lost: a packet of our own ends it.
      const before = statSync(file).size
      const [nic] = JSON.parse(where.exec('ip', '-j', '-4', 'addr', 'show', 'dev', device)) as {
        addr_info: { broadcast: string }[]
      }[]
      const send = `const socket = require('node:dgram').createSocket('udp4')
        socket.bind(() => {
          socket.setBroadcast(true)
          socket.send('${LAST}', 9, '${nic?.addr_info[0]?.broadcast}', () => socket.close())
        })`
      where.exec(process.execPath, '-e', send)
      await until(() => readFileSync(file).includes(LAST, before), 'the end of the capture')
      child.kill('SIGINT')
      await ended
    },
    values: (filter, field) => read(filter, '-T', 'fields', '-e', field),
    rows: <Field extends string>(filter: string, fields: readonly Field[]) =>
      read(filter, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])).map((line) => {
        const values = line.split('\t')
        return Object.fromEntries(fields.map((field, i) => [field, values[i]])) as Record<Field, string>
      }),
    count: (filter) => read(filter, '-T', 'fields', '-e', 'frame.number').length,
    [Symbol.dispose]() {
      child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
