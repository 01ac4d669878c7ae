// Finds cmake-js and calls it for the addon. Purpose: build.mjs (a local build) and node-gyp-shim.mjs (prebuilds) build in the
// same way, without any download of Node's headers.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))
/** Where build.mjs puts the tools when they are not beside the package. */
export const toolsDir = path.join(root, 'build-tools')
export const TOOLS = ['cmake-js@8', 'node-addon-api@8', 'node-api-headers@1']

const require = createRequire(import.meta.url)

function find(name) {
  try {
    const manifest = require.resolve(`${name}/package.json`, { paths: [root, process.cwd(), toolsDir] })
    return { dir: path.dirname(manifest), manifest: require(manifest) }
  } catch {
    return undefined
  }
}

/** The tools, or undefined where one is missing. */
export function findTools() {
  const cmakeJs = find('cmake-js')
  const addonApi = find('node-addon-api')
  if (!cmakeJs || !addonApi) return undefined
  return {
    cmakeJs: path.join(cmakeJs.dir, cmakeJs.manifest.bin['cmake-js']),
    addonApiDir: addonApi.dir,
  }
}

/**
 * Configures and builds the target `gigewire`, and nothing else of the project. Gives the exit code; what was printed is
 * shown on failure only, unless `verbose`.
 */
export function buildAddon(
  tools,
  { command = 'compile', debug = false, out, arch, definitions = [], verbose = false } = {},
) {
  const args = [
    tools.cmakeJs,
    command,
    ...['--directory', root],
    ...['--target', 'gigewire'],
    ...(out ? ['--out', out] : []),
    ...(arch ? ['--arch', arch] : []),
    ...(debug ? ['--debug'] : []),
    `--CDNODE_ADDON_API_DIR=${tools.addonApiDir}`,
    ...definitions.map((definition) => `--CD${definition}`),
  ]
  const run = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', verbose ? 'inherit' : 'pipe', verbose ? 'inherit' : 'pipe'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (run.status !== 0) {
    process.stderr.write(`${run.stdout ?? ''}${run.stderr ?? ''}`)
    console.error(
      `gigewire: the native build failed${run.error ? `: ${run.error.message}` : ''}.\n` +
        'It needs CMake 3.18 or newer and a C++20 compiler (tested: g++ 12) with make or ninja;\n' +
        'on Debian and Ubuntu: apt-get install cmake g++ make',
    )
  }
  return run.status ?? 1
}
