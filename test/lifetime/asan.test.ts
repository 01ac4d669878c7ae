// The binary under AddressSanitizer and UndefinedBehaviorSanitizer, inside of Node, through everything that sanitized.mjs does.
// Built into build-asan/; the first time takes minutes.

import { execFileSync, spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'
import { copyPackage, type PackageCopy, root } from './package-copy.js'

const require = createRequire(import.meta.url)
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const build = path.join(root, 'build-asan')

function cmake(...args: string[]): void {
  const { status, stdout, stderr } = spawnSync('cmake', args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0) throw new Error(`cmake ${args.join(' ')}\n${stdout}\n${stderr}`)
}

function library(name: string): string {
  return execFileSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim()
}

let net: Namespace
let copy: PackageCopy

describeWith(['netns', 'cmake', 'g++'], 'the binary under ASan and UBSan', () => {
  beforeAll(() => {
    const headers = path.dirname(require.resolve('node-api-headers/package.json'))
    const addonApi = path.dirname(require.resolve('node-addon-api/package.json'))
    cmake(
      ...['-S', root, '-B', build, '-DCMAKE_CXX_COMPILER=g++', '-DGW_SANITIZE=address,undefined'],
      ...[`-DCMAKE_JS_INC=${path.join(headers, 'include')}`, `-DNODE_ADDON_API_DIR=${addonApi}`],
    )
    cmake('--build', build, '--target', 'gigewire', '--parallel', '2')
    copy = copyPackage(path.join(build, 'gigewire.node'))
    net = new Namespace()
  }, 900_000)
  afterAll(() => {
    net?.[Symbol.dispose]()
    copy?.[Symbol.dispose]()
  })

  it('finds nothing in a life with losses, workers, vanishing cameras and an exit in the middle', {
    timeout: 120_000,
  }, () => {
    const plan = {
      entry: copy.entry,
      reader: here('./attached-reader.mjs'),
      ownCamera: here('./own-camera.mjs'),
    }
    const settings = [
      `LD_PRELOAD=${library('libasan.so')} ${library('libstdc++.so.6')}`,
      'ASAN_OPTIONS=detect_leaks=0', // Node's own would be all that is told
      'UBSAN_OPTIONS=print_stacktrace=1',
    ]
    const { status, signal, stdout, stderr } = spawnSync(
      ...net.command('env', [...settings, process.execPath, here('./sanitized.mjs'), JSON.stringify(plan)]),
      { encoding: 'utf8', timeout: 110_000 },
    )
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
