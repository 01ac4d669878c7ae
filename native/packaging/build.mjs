// Builds the addon into build/Release (or build/Debug with --debug). Purpose: the one command behind `npm run build:native`,
// and what the loader tells people to run where no prebuild fits. Needs CMake and a C++20 compiler; cmake-js, node-addon-api
// and node-api-headers are taken from beside the package, or fetched by npm into build-tools/. Extra arguments go to CMake as
// -D definitions: `npm run build:native -- GW_SANITIZE=address --out build-asan/build`.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { buildAddon, findTools, root, TOOLS, toolsDir } from './cmake-js.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    debug: { type: 'boolean' },
    rebuild: { type: 'boolean' },
    out: { type: 'string' },
  },
})

function fetchTools() {
  console.error(`gigewire: fetching ${TOOLS.join(', ')} into ${toolsDir}`)
  // npm is a .cmd file on Windows, which only a shell can start; nothing here comes from outside.
  const shell = process.platform === 'win32'
  const quote = (text) => (shell ? `"${text}"` : text)
  const args = [
    'install',
    '--no-save',
    '--no-package-lock',
    '--no-audit',
    '--no-fund',
    '--prefix',
    quote(toolsDir),
  ]
  const run = spawnSync('npm', [...args, ...TOOLS], { stdio: ['ignore', 'ignore', 'inherit'], shell })
  if (run.status === 0) return findTools()
  console.error(
    `gigewire: npm could not fetch them. Install them beside the package and try again:\n  npm install --no-save ${TOOLS.join(' ')}`,
  )
  return undefined
}

const tools = findTools() ?? fetchTools()
if (tools) console.error('gigewire: building the native part; the first time this takes a minute or two')
process.exitCode = tools
  ? buildAddon(tools, {
      command: values.rebuild ? 'rebuild' : 'compile',
      debug: values.debug,
      out: values.out && path.resolve(root, values.out),
      definitions: positionals,
      verbose: Boolean(process.env.GIGEWIRE_BUILD_VERBOSE),
    })
  : 1
