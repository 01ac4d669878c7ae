// The binary under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer, inside of Node: the suites of the addon once
// more, as they are, and sanitized.mjs, which has the wire misbehave in every way. Built into build-asan/; the first time takes
// minutes.
//
// Whatever the sanitizers say goes to files, of every process that ran: they are preloaded into all of them, vitest and `ip`
// included. A fault in any of them fails. A leak fails when code of ours allocated it, that is when the first frame of its stack
// outside of the allocator is ours. Suppressions of LeakSanitizer cannot tell that: they look for a name anywhere in the stack, and
// below all that JavaScript calls there is Node. So references and handles that Node allocated for us are not seen; `cycles` is
// for them.
//
// Of `exit-matrix` a part of the endings is run, and without looking for leaks: nobody expects a process to free everything when it
// is ended in the middle of its work, and LeakSanitizer itself gives up when it is ended in the middle of its own. Nor are leaks looked
// for in `no-threads`: LeakSanitizer needs a thread itself. Not run: `cycles`, which would measure what the sanitizer keeps back of freed
// memory.

import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'
import { copyPackage, type PackageCopy, root } from './package-copy.js'

const require = createRequire(import.meta.url)
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const build = path.join(root, 'build-asan')

const SUITES = [
  'test/lifetime/backpressure.test.ts',
  'test/lifetime/forgotten.test.ts',
  'test/lifetime/leases.test.ts',
  'test/lifetime/stream-close.test.ts',
  'test/lifetime/stream-start.test.ts',
  'test/lifetime/two-environments.test.ts',
  'test/lifetime/workers.test.ts',
  'test/network/aravis-camera.test.ts',
  'test/network/aravis-client.test.ts',
  'test/network/blocked-loop.test.ts',
  'test/network/chunks.test.ts',
  'test/network/control.test.ts',
  'test/network/counters.test.ts',
  'test/network/destination.test.ts',
  'test/network/engines.test.ts',
  'test/network/events.test.ts',
  'test/network/link-engines.test.ts',
  'test/network/loss.test.ts',
  'test/network/monitor.test.ts',
  'test/network/multicast.test.ts',
  'test/network/packet-size.test.ts',
  'test/network/payloads.test.ts',
  'test/network/receive-buffer.test.ts',
  'test/network/shared-threads.test.ts',
  'test/network/tuning.test.ts',
]
/** Endings of the exit matrix: one of each kind that runs code of ours. */
const ENDINGS = ['exit(7)', 'uncaught', 'SIGTERM, handler closes', 'terminate', 'main exits']

function cmake(...args: string[]): void {
  const { status, stdout, stderr } = spawnSync('cmake', args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0) throw new Error(`cmake ${args.join(' ')}\n${stdout}\n${stderr}`)
}

function library(name: string): string {
  return execFileSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim()
}

/** What the sanitizers wrote: reports of faults, and leaks of our own. */
function findings(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const text = readFileSync(path.join(directory, name), 'utf8')
    if (!text.includes('LeakSanitizer: detected memory leaks')) return [text]
    return text.split(/\n(?=(?:Direct|Indirect) leak of )/).filter((part) => isOurs(part))
  })
}

/** A stack whose allocating code was compiled into our binary: its own sources, and what headers put there. */
function isOurs(leak: string): boolean {
  const frames = leak.split('\n').filter((line) => /^ +#[1-9]/.test(line) && !line.includes('libstdc++.so'))
  return /\/native\/(binding|core|sim)\/|\/node-addon-api\/|\/include\/c\+\+\/|gigewire\.node/.test(
    frames[0] ?? '',
  )
}

let net: Namespace
let copy: PackageCopy
let reports: string

describeWith(['netns', 'cmake', 'g++'], 'the binary under ASan, LSan and UBSan', () => {
  const settings = () => ({
    LD_PRELOAD: `${library('libasan.so')} ${library('libstdc++.so.6')}`,
    ASAN_OPTIONS: `detect_leaks=1:log_path=${reports}/asan`,
    LSAN_OPTIONS: 'exitcode=0', // what leaks is judged here
    UBSAN_OPTIONS: `print_stacktrace=1:log_path=${reports}/ubsan`,
  })

  beforeAll(() => {
    const headers = path.dirname(require.resolve('node-api-headers/package.json'))
    const addonApi = path.dirname(require.resolve('node-addon-api/package.json'))
    cmake(
      ...['-S', root, '-B', build, '-DCMAKE_CXX_COMPILER=g++', '-DGW_SANITIZE=address,undefined'],
      ...[`-DCMAKE_JS_INC=${path.join(headers, 'include')}`, `-DNODE_ADDON_API_DIR=${addonApi}`],
    )
    cmake('--build', build, '--target', 'gigewire', '--parallel', '2')
    copy = copyPackage(path.join(build, 'gigewire.node'))
    reports = mkdtempSync(path.join(tmpdir(), 'gigewire-asan-'))
    chmodSync(reports, 0o777) // for processes without privileges, too
    net = new Namespace()
  }, 900_000)
  afterAll(() => {
    net?.[Symbol.dispose]()
    copy?.[Symbol.dispose]()
    if (reports) rmSync(reports, { recursive: true })
  })

  /** The suites with the sanitized binary; gives what vitest printed. */
  function runSuites(args: string[], env: Record<string, string>, timeout: number): string {
    const vitest = path.join(root, 'node_modules/vitest/vitest.mjs')
    const { status, stdout, stderr } = spawnSync(process.execPath, [vitest, 'run', ...args], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      timeout,
      env: {
        ...{ ...process.env, ...env, GIGEWIRE_NO_SKIP: '1' },
        GIGEWIRE_TEST_PACKAGE: path.dirname(path.dirname(copy.entry)),
      },
    })
    expect(findings(reports)).toEqual([])
    expect(status, `${stdout}\n${stderr}`).toBe(0)
    return stdout
  }

  it('finds nothing in the suites of the addon', { timeout: 1_300_000 }, () => {
    // Two at a time: most of them wait most of the time, and what is looked for here are faults, not times.
    const stdout = runSuites([...SUITES, '--fileParallelism', '--maxWorkers=2'], settings(), 1_200_000)
    expect(stdout).toContain(`${SUITES.length} passed`)
  })

  const withoutLeaks = () => {
    const { ASAN_OPTIONS, ...others } = settings()
    return { ...others, ASAN_OPTIONS: `${ASAN_OPTIONS}:detect_leaks=0` }
  }

  it('finds no fault in what ends at every step', { timeout: 400_000 }, () => {
    const exactly = ENDINGS.map((ending) => ending.replace(/[()]/g, '\\$&')).join('|')
    const args = ['test/lifetime/exit-matrix.test.ts', '-t', ` (${exactly})$`]
    expect(runSuites(args, withoutLeaks(), 390_000)).toContain('50 passed')
  })

  it('finds no fault where no thread can be had', { timeout: 120_000 }, () => {
    const stdout = runSuites(['test/lifetime/no-threads.test.ts'], withoutLeaks(), 110_000)
    expect(stdout).toContain('1 passed')
  })

  it('finds nothing in a life with losses, workers, vanishing cameras and an exit in the middle', {
    timeout: 120_000,
  }, () => {
    const plan = {
      entry: copy.entry,
      reader: here('./attached-reader.mjs'),
      ownCamera: here('./own-camera.mjs'),
    }
    const preload = Object.entries(settings()).map((setting) => setting.join('='))
    const { status, signal, stdout, stderr } = spawnSync(
      ...net.command('env', [...preload, process.execPath, here('./sanitized.mjs'), JSON.stringify(plan)]),
      { encoding: 'utf8', timeout: 110_000 },
    )
    expect(findings(reports)).toEqual([])
    expect({ status, signal, stderr }, stdout).toEqual({ status: 0, signal: null, stderr: '' })
    expect(stdout.trim().split('\n')).toEqual([
      'a lossy stream with resends: ok',
      'incomplete frames: ok',
      'workers that are terminated: ok',
      'aborted starts: ok',
      'errors: ok',
      'workers with cameras: ok',
      'a camera that dies: ok',
      'the end: ok',
    ])
  })
})
