// The package as users get it: packed, and installed in an empty directory.

import { mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { root, run, runOk } from '../native/cmake-build.js'

export interface PackedFile {
  path: string
  size: number
  mode: number
}

export interface Packed {
  tarball: string
  files: PackedFile[]
}

/** `npm pack`, with a prebuild for this platform made before, as npm publish does. */
export async function pack(destination: string): Promise<Packed> {
  await runOk(process.execPath, ['native/packaging/make-prebuilds.mjs'])
  // Scripts would build once more; what they build is there.
  const { code, output } = await run(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', destination],
    {
      env: { npm_config_loglevel: 'silent' },
    },
  )
  if (code !== 0) throw new Error(output)
  const [packed] = JSON.parse(output.slice(output.indexOf('['), output.lastIndexOf(']') + 1)) as [
    { filename: string; files: PackedFile[] },
  ]
  return { tarball: path.join(destination, packed.filename), files: packed.files }
}

/** A PATH with node, npm, sh and env, and nothing else: no compiler, no CMake. */
export async function barePath(directory: string): Promise<string> {
  const bin = path.join(directory, 'bare-bin')
  await mkdir(bin)
  const npm = (await runOk('sh', ['-c', 'command -v npm'])).trim()
  const tools: Record<string, string> = { node: process.execPath, npm }
  for (const name of ['sh', 'env']) tools[name] = (await runOk('sh', ['-c', `command -v ${name}`])).trim()
  for (const [name, target] of Object.entries(tools)) await symlink(target, path.join(bin, name))
  return bin
}

/** Installs a tarball in an empty project; gives its directory and what npm printed. */
export async function install(
  tarball: string,
  env: NodeJS.ProcessEnv = {},
): Promise<{ project: string; output: string }> {
  const project = await mkdtemp(path.join(os.tmpdir(), 'gigewire-project-'))
  await writeFile(path.join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true }))
  const output = await runOk('npm', ['install', '--no-audit', '--no-fund', '--foreground-scripts', tarball], {
    cwd: project,
    env,
  })
  return { project, output }
}

export { root, run, runOk }
