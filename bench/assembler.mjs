// Builds and runs assembler.cc: what the packet path costs without the kernel.
//
//   node bench/assembler.mjs

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const core = path.join(import.meta.dirname, '../native/core')
const sourcesOf = (folder, only = /./) =>
  readdirSync(path.join(core, folder))
    .filter((name) => name.endsWith('.cc') && only.test(name))
    .map((name) => path.join(core, folder, name))

const folder = mkdtempSync(path.join(tmpdir(), 'gigewire-assembler-'))
try {
  const program = path.join(folder, 'assembler')
  const parts = sourcesOf(
    'path',
    /^(block_assembler|block_closing|open_block|prediction|resend_policy|slot_pool)\.cc$/,
  )
  const sources = [path.join(import.meta.dirname, 'assembler.cc'), ...parts, ...sourcesOf('wire')]
  execFileSync('g++', ['-std=c++20', '-O2', '-I', core, ...sources, '-o', program], { stdio: 'inherit' })
  execFileSync(program, { stdio: 'inherit' })
} finally {
  rmSync(folder, { recursive: true })
}
