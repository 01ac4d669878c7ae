// Private networks for tests. Purpose: namespaces and veth pairs that a suite makes and removes; the machine's own network is
// never used. As root, `ip netns` makes them; for anybody else it does so in a user namespace (user-namespace.ts).

import {
  type ChildProcess,
  execFile,
  execFileSync,
  type SpawnOptions,
  spawn,
  spawnSync,
} from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { inUserNamespace, isRoot, userNamespaceUnavailable } from './user-namespace.js'

type Command = [command: string, args: string[]]

/** Programs that asan.test.ts need not watch: with a sanitizer in front of them they take ten times as long. */
const OF_OTHERS = /^(arv-|tshark$)/

function run(command: string, args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Why private networks cannot be made here, or undefined when they can. */
export function netnsUnavailable(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are a Linux facility'
  if (spawnSync('ip', ['-V']).error) return '`ip` is missing: apt-get install iproute2'
  if (!isRoot) return userNamespaceUnavailable()
  const probe = spawnSync('unshare', ['-n', 'true'], { encoding: 'utf8' })
  if (probe.status !== 0)
    return (
      `network namespaces are forbidden here (${probe.stderr.trim()}): in a container, start it with ` +
      '--cap-add=SYS_ADMIN --cap-add=NET_ADMIN --security-opt seccomp=unconfined (or --privileged); else boot a kernel with CONFIG_NET_NS'
    )
  return undefined
}

/** `ip` with these arguments, by whoever may make networks. */
function ip(args: string[], cwd?: string): Command {
  return inUserNamespace(['ip', ...args], cwd)
}

export class Namespace implements Disposable {
  readonly name = `gw-${randomBytes(4).toString('hex')}`
  private readonly children: ChildProcess[] = []

  constructor() {
    run(...ip(['netns', 'add', this.name]))
    this.exec('ip', 'link', 'set', 'lo', 'up')
  }

  /** What to run, outside, so that the command runs inside. */
  command(command: string, args: string[], cwd?: string): Command {
    const bare = OF_OTHERS.test(command) ? ['env', '-u', 'LD_PRELOAD'] : []
    return ip(['netns', 'exec', this.name, ...bare, command, ...args], cwd)
  }

  /** Runs a command inside and returns what it printed; throws when it fails. */
  exec(command: string, ...args: string[]): string {
    return run(...this.command(command, args))
  }

  /** Starts a command inside; it is ended with the namespace. */
  spawn(command: string, args: string[], options: SpawnOptions = {}): ChildProcess {
    const child = spawn(...this.command(command, args, options.cwd?.toString()), options)
    this.adopt(child)
    return child
  }

  /** Runs a command that takes its time, and gives all it printed; throws unless it ends well. */
  async output(command: string, args: string[], timeout = 20_000): Promise<string> {
    const { stdout, stderr } = await promisify(execFile)(...this.command(command, args), {
      timeout,
      maxBuffer: 1 << 26,
    })
    return stdout + stderr
  }

  /** A process that was started inside is ended with the namespace. */
  adopt(child: ChildProcess): void {
    this.children.push(child)
  }

  /** Waits until somebody listens on a UDP port, at an address or any: a program that was just spawned is ready. */
  async listening(port: number, address?: string): Promise<void> {
    const end = performance.now() + 10_000
    const where = address === undefined ? '' : `src ${address} and `
    while (this.exec('ss', '-Hnlu', `${where}sport = :${port}`) === '') {
      if (performance.now() > end) throw new Error(`nobody listens on UDP port ${port} of ${this.name}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  /** Loads an nftables script, as `nft -f` reads it. */
  nft(script: string): void {
    execFileSync(...this.command('nft', ['-f', '-']), {
      input: script,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
  }

  /** Packets that a named nftables counter has seen. */
  counted(name: string): number {
    const list = JSON.parse(this.exec('nft', '-j', 'list', 'counters')) as {
      nftables: { counter?: { name: string; packets: number } }[]
    }
    const found = list.nftables.find((entry) => entry.counter?.name === name)?.counter
    if (!found) throw new Error(`no counter ${name} in ${this.name}`)
    return found.packets
  }

  address(device: string, cidr: string): void {
    this.exec('ip', 'addr', 'add', cidr, 'brd', '+', 'dev', device)
  }

  [Symbol.dispose](): void {
    for (const child of this.children) child.kill('SIGKILL')
    spawnSync(...ip(['netns', 'del', this.name]))
  }
}

export interface CableOptions {
  mtu?: number
  /** MTU of the second end, where it differs: a path narrower than the first NIC. */
  farMtu?: number
  /** Receive queues of each end. */
  queues?: number
}

/** Without an address: the port of a bridge. */
export interface End {
  device: string
  cidr?: string
}

/** A cable between two namespaces: device `near` in the first, `far` in the second, both up. */
export function cable(
  first: Namespace,
  near: End,
  second: Namespace,
  far: End,
  { mtu = 1500, farMtu = mtu, queues }: CableOptions = {},
): void {
  const wide = queues === undefined ? [] : ['numrxqueues', String(queues), 'numtxqueues', String(queues)]
  const command = ip([
    ...['link', 'add', near.device, 'mtu', String(mtu), 'netns', first.name, ...wide, 'type', 'veth'],
    ...['peer', 'name', far.device, 'mtu', String(farMtu), 'netns', second.name, ...wide],
  ])
  run(...command)
  if (near.cidr !== undefined) first.address(near.device, near.cidr)
  if (far.cidr !== undefined) second.address(far.device, far.cidr)
  first.exec('ip', 'link', 'set', near.device, 'up')
  second.exec('ip', 'link', 'set', far.device, 'up')
}
