// Private networks for benchmarks: made at the start, gone with the process, however that ends, and never the machine's own. Whoever
// is not root makes them in a user namespace. Each network is held open by a small process that ends when its input does.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { GigeError } from '../errors.js'
import type { Place } from './model.js'

const MTU = 9000
const HOST = '10.99.0.1'
/** Addresses of cameras count up from here. */
const FIRST_CAMERA = 2
const READY_MS = 10_000

const isRoot = process.getuid?.() === 0

/** Why private networks cannot be made, or undefined when they can. */
export function networksUnavailable(): string | undefined {
  if (process.platform !== 'linux') return 'private networks need Linux'
  for (const [tool, argument, from] of [
    ['ip', '-V', 'iproute2'],
    ['unshare', '--version', 'util-linux'],
  ] as const) {
    if (spawnSync(tool, [argument]).error) return `\`${tool}\` is missing: apt-get install ${from}`
  }
  const probe = spawnSync('unshare', [...(isRoot ? [] : ['-r']), '-n', 'true'], { encoding: 'utf8' })
  return probe.status === 0 ? undefined : `private networks are forbidden here: ${probe.stderr.trim()}`
}

/** Where the two ends of one load run. */
export interface Ends {
  host: string
  cameras(count: number): string[]
  /** What to run, so that the command runs at the receiver's end, without privileges unless it needs them. */
  receiver(command: string[], privileged?: boolean): string[]
  camera(command: string[]): string[]
}

function works(command: string[]): boolean {
  return spawnSync(command[0]!, command.slice(1), { stdio: 'ignore' }).status === 0
}

const NO_PRIVILEGES = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all']

export interface Cores {
  sender: string
  receiver: string
}

/** The sender on one core and the receiver on the others; undefined where that cannot be had. */
export function coresHere(): Cores | undefined {
  const count = availableParallelism()
  if (process.platform !== 'linux' || count === 1) return undefined
  const cores = { sender: '0', receiver: count === 2 ? '1' : `1-${count - 1}` }
  return Object.values(cores).every((list) => works(['taskset', '-c', list, 'true'])) ? cores : undefined
}

export class Networks implements Disposable {
  private readonly holders: ChildProcess[] = []
  private readonly ends = new Map<Place, Ends>()
  /** Receivers run as they would for anybody. False where root's privileges cannot be taken from them. */
  readonly unprivileged = !isRoot || works([...NO_PRIVILEGES, 'true'])

  /** Without `cores`, and where private networks cannot be made, everything runs as the system likes, on its own loopback. */
  constructor(
    readonly cores: Cores | undefined,
    readonly isolated = networksUnavailable() === undefined,
  ) {}

  at(place: Place): Ends {
    let ends = this.ends.get(place)
    if (!ends) {
      ends = place === 'loopback' ? this.loopback() : this.cable()
      this.ends.set(place, ends)
    }
    return ends
  }

  private pinned(cores: string | undefined): string[] {
    return cores === undefined ? [] : ['taskset', '-c', cores]
  }

  private loopback(): Ends {
    const inside = this.isolated ? this.enter(this.hold()) : []
    if (this.isolated) run([...inside, 'ip', 'link', 'set', 'lo', 'up'])
    return this.between(inside, inside, '127.0.0.1', (i) => `127.0.0.${i + 1}`)
  }

  private cable(): Ends {
    if (!this.isolated) {
      const why = networksUnavailable() ?? ''
      throw new GigeError('ERR_GIGE_NETWORK', `A virtual cable cannot be made: ${why}`)
    }
    const near = this.hold()
    // The second one inside of the first one's user namespace, where there is one.
    const far = this.hold(isRoot ? [] : this.enter(near))
    const [here, there] = [this.enter(near), this.enter(far)]
    run([
      ...[...here, 'ip', 'link', 'add', 'gw0', 'mtu', String(MTU)],
      ...['type', 'veth', 'peer', 'name', 'gw1', 'mtu', String(MTU), 'netns', String(far.pid)],
    ])
    for (const [inside, device, address] of [
      [here, 'gw0', HOST],
      [there, 'gw1', cameraAddress(0)],
    ] as const) {
      run([...inside, 'ip', 'link', 'set', 'lo', 'up'])
      run([...inside, 'ip', 'address', 'add', `${address}/24`, 'brd', '+', 'dev', device])
      // Segmented sends are cut into packets before they cross, as a NIC would.
      run([...inside, 'ip', 'link', 'set', device, 'gso_max_segs', '1', 'up'])
    }
    const added = new Set([0])
    return this.between(here, there, HOST, (i) => {
      const address = cameraAddress(i)
      if (!added.has(i)) run([...there, 'ip', 'address', 'add', `${address}/24`, 'dev', 'gw1'])
      added.add(i)
      return address
    })
  }

  private between(here: string[], there: string[], host: string, camera: (i: number) => string): Ends {
    return {
      host,
      cameras: (count) => Array.from({ length: count }, (_, i) => camera(i)),
      receiver: (command, privileged = false) => [
        ...here,
        ...this.pinned(this.cores?.receiver),
        ...(isRoot && this.unprivileged && !privileged ? NO_PRIVILEGES : []),
        ...command,
      ],
      camera: (command) => [...there, ...this.pinned(this.cores?.sender), ...command],
    }
  }

  private hold(inside?: string[]): ChildProcess {
    const user = isRoot || inside?.length ? [] : ['-r']
    const command = [...(inside ?? []), 'unshare', ...user, '-n', 'cat']
    const holder = spawn(command[0]!, command.slice(1), { stdio: ['pipe', 'ignore', 'ignore'] })
    this.holders.push(holder)
    holder.unref()
    ;(holder.stdin as unknown as { unref(): void }).unref()
    const end = performance.now() + READY_MS
    // It is inside as soon as its network is another than ours.
    while (networkOf(holder.pid!) === networkOf(process.pid)) {
      if (performance.now() > end) throw new GigeError('ERR_GIGE_NETWORK', 'A private network did not open')
      spawnSync('true')
    }
    return holder
  }

  private enter(holder: ChildProcess): string[] {
    const user = isRoot ? [] : ['-U', '--preserve-credentials']
    return ['nsenter', '-t', String(holder.pid), ...user, '-n']
  }

  [Symbol.dispose](): void {
    for (const holder of this.holders) holder.kill('SIGKILL')
  }
}

function cameraAddress(i: number): string {
  return `10.99.0.${FIRST_CAMERA + i}`
}

function networkOf(pid: number): string {
  const found = spawnSync('readlink', [`/proc/${pid}/ns/net`], { encoding: 'utf8' })
  return found.stdout
}

function run(command: string[]): void {
  const done = spawnSync(command[0]!, command.slice(1), { encoding: 'utf8' })
  if (done.status === 0) return
  throw new GigeError('ERR_GIGE_NETWORK', `\`${command.join(' ')}\` failed: ${done.stderr.trim()}`)
}
