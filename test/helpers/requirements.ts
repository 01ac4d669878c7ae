// What a suite needs beyond Node. Purpose: a suite that cannot run here is skipped by name, with the reason and how to get what
// is missing; with GIGEWIRE_NO_SKIP=1 (as in CI) it fails instead.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { describe, it } from 'vitest'
import { netnsUnavailable } from './netns.js'

const PACKAGES: Record<string, string> = {
  'arv-fake-gv-camera-0.8': 'apt-get install aravis-tools',
  'arv-camera-test-0.8': 'apt-get install aravis-tools',
  'arv-tool-0.8': 'apt-get install aravis-tools-cli',
  nft: 'apt-get install nftables',
  tshark: 'apt-get install tshark',
  cmake: 'apt-get install cmake g++',
  doctest: 'apt-get install doctest-dev',
  script: 'apt-get install bsdutils',
  'clang++-19': 'apt-get install clang-19 libclang-rt-19-dev',
}

function missing(need: string): string | undefined {
  if (need === 'netns') return netnsUnavailable()
  // a header, not a command
  const found =
    need === 'doctest'
      ? existsSync('/usr/include/doctest/doctest.h')
      : spawnSync('sh', ['-c', `command -v ${need}`]).status === 0
  return found ? undefined : `${need} is missing: ${PACKAGES[need] ?? `install ${need}`}`
}

/** describe() for suites with needs: 'netns', 'doctest', or names of commands. */
export function describeWith(needs: string[], name: string, body: () => void): void {
  const reasons = needs.map(missing).filter((reason) => reason !== undefined)
  if (reasons.length === 0) {
    describe(name, body)
  } else if (process.env.GIGEWIRE_NO_SKIP === '1') {
    describe(name, () => {
      it('has what it needs', () => {
        throw new Error(`skips are forbidden here: ${reasons.join('; ')}`)
      })
    })
  } else {
    console.warn(`skipped: ${name}: ${reasons.join('; ')}`)
    describe.skip(`${name} (${reasons.join('; ')})`, body)
  }
}
