// Builds the comparison programs when they are missing or older than their sources, into build/peers. What cannot be built is told
// with what is missing and how to get it; its cases are then left out.

import { spawnSync } from 'node:child_process'
import { mkdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const out = fileURLToPath(new URL('../../build/peers/', import.meta.url))
const COMPILERS = [process.env.CC, 'cc', 'gcc', 'clang'].filter(Boolean)

function compiler() {
  return COMPILERS.find((name) => !spawnSync(name, ['--version']).error)
}

function aravisFlags() {
  const found = spawnSync('pkg-config', ['--cflags', '--libs', 'aravis-0.8'], { encoding: 'utf8' })
  if (found.error) return { missing: '`pkg-config` is missing: apt-get install pkg-config' }
  if (found.status !== 0)
    return {
      missing: `Aravis' library is missing: apt-get install libaravis-dev libusb-1.0-0-dev (${found.stderr.trim()})`,
    }
  return { flags: found.stdout.trim().split(/\s+/) }
}

function newest(...files) {
  return Math.max(...files.map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0))
}

function build(name, flags) {
  const source = `${here}${name}.c`
  const program = `${out}${name}`
  if (newest(program) > newest(source, `${here}peer.h`)) return { program }
  const cc = compiler()
  if (!cc) return { missing: 'a C compiler is missing: apt-get install gcc' }
  mkdirSync(out, { recursive: true })
  const args = ['-O2', '-std=gnu11', '-Wall', '-Wextra', '-pthread', source, '-o', program, ...flags]
  const made = spawnSync(cc, args, { encoding: 'utf8' })
  return made.status === 0 ? { program } : { missing: `${name}.c does not compile: ${made.stderr.trim()}` }
}

/** Receivers for lib/bench by name, and for each that is missing the reason. */
export function peers() {
  const missing = {}
  const list = {
    dgram: {
      kind: 'peer',
      name: 'dgram',
      command: [process.execPath, `${here}dgram.mjs`],
      opensCamera: false,
    },
  }
  const discard = build('discard', [])
  if (discard.missing) missing.discard = discard.missing
  else list.discard = { kind: 'peer', name: 'discard', command: [discard.program], opensCamera: false }
  const found = aravisFlags()
  const aravis = found.missing ? found : build('aravis', found.flags)
  for (const mode of ['socket', 'default', 'ring']) {
    const name = `aravis-${mode}`
    const unprivileged = mode === 'ring' && process.getuid() !== 0
    if (aravis.missing) missing[name] = aravis.missing
    else if (unprivileged) missing[name] = 'its packet socket needs CAP_NET_RAW: run as root'
    else
      list[name] = {
        kind: 'peer',
        name,
        command: [aravis.program, mode],
        opensCamera: true,
        privileged: mode === 'ring',
      }
  }
  return { list, missing }
}
