// Makes the prebuild for this platform: prebuilds/<platform>-<arch>/gigewire[.<libc>].node, stripped. Purpose: what npm
// publishes, so that installing runs no script and needs no compiler. Builds in build-prebuild/, beside whatever build/ holds.
import { copyFileSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { root } from './cmake-js.mjs'

const prebuildify = promisify(createRequire(import.meta.url)('prebuildify'))

const staging = path.join(root, 'build-prebuild')
mkdirSync(staging, { recursive: true })
copyFileSync(path.join(root, 'package.json'), path.join(staging, 'package.json')) // prebuildify reads the name

const libc = process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl'
const shim = fileURLToPath(new URL('node-gyp-shim.mjs', import.meta.url))
await prebuildify({
  cwd: staging,
  out: root,
  napi: true,
  strip: process.platform !== 'win32',
  tagLibc: process.platform === 'linux' ? libc : false,
  // prebuildify starts it through a shell on Windows, where a shebang means nothing.
  nodeGyp: process.platform === 'win32' ? `node "${shim}"` : shim,
  targets: [{ runtime: 'node', target: process.versions.node }],
  quiet: true,
})
console.log(
  `made a prebuild for ${process.platform}-${process.arch}${process.platform === 'linux' ? ` ${libc}` : ''}`,
)
