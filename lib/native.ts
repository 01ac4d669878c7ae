// Loads the native binary: the only file that touches it. Finds a prebuild for this platform or a local build; where there
// is neither, the error says what to type. Gives native code the error class, and makes sure that cameras are released
// when the process exits by process.exit() or an uncaught error, where Node runs no native clean-up.

import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type * as Binding from '../binding.js'
import { GigeError, type GigeErrorCode, hintFor } from './errors.js'

export type NativeBinding = typeof Binding

const root = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(import.meta.url)

function libc(): string {
  if (process.platform !== 'linux') return ''
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined
  return report?.header?.glibcVersionRuntime ? 'glibc' : 'musl'
}

function load(): NativeBinding {
  // node-gyp-build takes every Linux without /etc/alpine-release for glibc; the running Node knows better.
  const kind = libc()
  if (kind && !process.env.LIBC) process.env.LIBC = kind
  try {
    return require('node-gyp-build')(root) as NativeBinding
  } catch (cause) {
    const platform = [`${process.platform}-${process.arch}`, kind].filter(Boolean).join(' ')
    throw new GigeError('ERR_GIGE_NATIVE', `No native binary of gigewire fits this platform (${platform})`, {
      cause,
      hint:
        process.platform === 'linux'
          ? `Build it from source:  node "${root}native/packaging/build.mjs"\n` +
            'This needs CMake 3.18 or newer, a C++20 compiler (tested: g++ 12), and npm, which fetches cmake-js once.'
          : 'There is no binary for this platform in the package yet. native/packaging/cross.mjs builds one on Linux for Windows x64 and macOS: see "Other systems" in CONTRIBUTING.md.',
      details: { platform: process.platform, arch: process.arch, libc: kind },
    })
  }
}

export const native: NativeBinding = load()

native.setErrorFactory(
  (code, message, details) =>
    new GigeError(code as GigeErrorCode, message, { hint: hintFor(code as GigeErrorCode), details }),
)

process.on('exit', () => native.closeAll())
