// The C++ unit tests: as built for users, under the address and undefined-behaviour sanitizers, and under the thread sanitizer.

import { expect, it } from 'vitest'
import { describeWith } from '../helpers/requirements.js'
import { cmakeBuild, runIsolated } from './cmake-build.js'

const MINUTES = 60_000

// Warnings are errors in the plain build alone: with a sanitizer's code between, gcc warns of what cannot be.
// -Wno-tsan: the thread sanitizer knows no fences. The one in the statistics page stands between atomic accesses, which
// are no races to it with or without the fence.
const KINDS: [name: string, directory: string, definitions: string[]][] = [
  ['plain', 'build-test', ['CMAKE_BUILD_TYPE=RelWithDebInfo', 'GW_WERROR=ON']],
  ['address and undefined', 'build-test-asan', sanitized('address,undefined', '-O1')],
  ['thread', 'build-test-tsan', sanitized('thread', '-O1 -Wno-tsan')],
]

function sanitized(sanitizers: string, flags: string): string[] {
  return ['CMAKE_BUILD_TYPE=None', `CMAKE_CXX_FLAGS=${flags}`, `GW_SANITIZE=${sanitizers}`]
}

describeWith(['cmake', 'doctest'], 'C++ unit tests', () => {
  it.each(KINDS)(
    '%s',
    async (_name, directory, definitions) => {
      const build = await cmakeBuild(directory, ['GW_TESTS=ON', ...definitions])
      const { code, output } = await runIsolated('ctest', [
        ...['--test-dir', build, '--output-on-failure', '--no-tests=error', '--parallel', '2'],
      ])
      expect(code, output.slice(-20_000)).toBe(0)
      // ctest's own count: a run without tests, or one that was cut off, has no such line
      expect(output).toMatch(/100% tests passed, 0 tests failed out of [1-9]/)
    },
    20 * MINUTES,
  )
})
