// The fuzz targets: each runs over its kept corpus and then for GIGEWIRE_FUZZ_SECONDS (5; in CI 30) on inputs of its own
// making. A crash, a sanitizer's finding, a hang of 10 s or 512 MB of memory fails; the input is printed. Two run at a time.

import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { describeWith } from '../helpers/requirements.js'
import { cmakeBuild, root, runIsolated } from './cmake-build.js'

const SECONDS = Number(process.env.GIGEWIRE_FUZZ_SECONDS ?? 5)
const SOURCES = path.join(root, 'native/test/fuzz')
const MINUTES = 60_000

function targets(): string[] {
  return (existsSync(SOURCES) ? readdirSync(SOURCES) : [])
    .filter((name) => name.endsWith('_fuzz.cc'))
    .map((name) => name.slice(0, -'_fuzz.cc'.length))
}

describeWith(['cmake', 'clang++-19', 'libfuzzer'], 'fuzzing', () => {
  const names = targets()
  let built: Promise<string> | undefined
  const build = () => {
    built ??= cmakeBuild('build-fuzz', [
      ...['GW_FUZZ=ON', 'CMAKE_BUILD_TYPE=None', 'CMAKE_CXX_FLAGS=-O1', 'CMAKE_CXX_COMPILER=clang++-19'],
    ])
    return built
  }

  it('builds every target', async () => expect(await build()).toBeTruthy(), 10 * MINUTES)

  it('has targets', () => expect(names.length).toBeGreaterThan(0))

  it.concurrent.each(names)(
    `%s survives ${SECONDS} s`,
    async (name) => {
      const directory = await build()
      // New inputs go to a scratch folder first in line; the kept corpus is read only.
      const scratch = await mkdtemp(path.join(os.tmpdir(), `${name}-`))
      try {
        const corpus = path.join(SOURCES, 'corpus', name)
        expect(existsSync(corpus), `${corpus} is kept`).toBe(true)
        const program = path.join(directory, `native/test/fuzz/gw_fuzz_${name}`)
        const args = [
          ...[scratch, corpus, `-max_total_time=${SECONDS}`, '-timeout=10', '-rss_limit_mb=512'],
          ...['-max_len=2048', '-print_final_stats=1', `-artifact_prefix=${scratch}/`],
        ]
        // What the sanitizer keeps of freed memory is not the target's.
        const { code, output } = await runIsolated(program, args, {
          env: { ASAN_OPTIONS: 'quarantine_size_mb=16' },
        })
        const found = (await readdir(scratch)).filter((file) => /^(crash|leak|timeout|oom)-/.test(file))
        const inputs = await Promise.all(
          found.map(
            async (file) => `${file}: ${(await readFile(path.join(scratch, file))).toString('base64')}`,
          ),
        )
        expect(code, `${output.slice(-10_000)}\n${inputs.join('\n')}`).toBe(0)
        const executed = Number(/stat::number_of_executed_units: *(\d+)/.exec(output)?.[1] ?? 0)
        expect(executed).toBeGreaterThan(100)
      } finally {
        await rm(scratch, { recursive: true })
      }
    },
    2 * MINUTES + SECONDS * 1000,
  )
})
