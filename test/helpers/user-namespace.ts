// Networks for those who are not root. Purpose: one user namespace for each test process, in which `ip netns` may do its work: a
// small process holds it open until the tests end. Its own /run keeps the names of the networks apart from the machine's.

import { spawn, spawnSync } from 'node:child_process'

export const isRoot = process.getuid?.() === 0

const MARK = '/run/gigewire-tests'

let entrance: string[] | undefined

/** Why not, or undefined when it works. */
export function userNamespaceUnavailable(): string | undefined {
  const probe = spawnSync('unshare', ['-rmn', 'mount', '-t', 'tmpfs', 'none', '/run'], { encoding: 'utf8' })
  if (probe.status === 0) return undefined
  const why = probe.error?.message ?? probe.stderr.trim()
  return `only root may make networks here (unshare -rmn: ${why}): sudo npm test`
}

function open(): string[] {
  // cat ends with its input, and that with the tests, however they end
  const script = `mount -t tmpfs none /run && mkdir ${MARK} && exec cat`
  const holder = spawn('unshare', ['-rmn', 'sh', '-c', script], { stdio: ['pipe', 'ignore', 'inherit'] })
  holder.unref()
  ;(holder.stdin as unknown as { unref(): void }).unref()
  const enter = ['nsenter', '-t', String(holder.pid), '-U', '-m', '-n', '--preserve-credentials']
  const end = performance.now() + 10_000
  while (spawnSync(enter[0]!, [...enter.slice(1), 'test', '-d', MARK]).status !== 0) {
    if (performance.now() > end)
      throw new Error('the user namespace for the networks of the tests did not open')
  }
  return enter
}

/** The command as it is for root; for others what runs it in the user namespace, in the directory `cwd`. */
export function inUserNamespace(command: string[], cwd = process.cwd()): [string, string[]] {
  if (isRoot) return [command[0]!, command.slice(1)]
  entrance ??= open()
  return [entrance[0]!, [...entrance.slice(1), 'env', '-C', cwd, ...command]]
}

/** What makes of the command after it one without any privilege over the network. */
export function withoutPrivileges(): string[] {
  return isRoot
    ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all']
    : ['setpriv', '--bounding-set=-all', '--inh-caps=-all']
}
