// What a suite needs beyond Node. Purpose: a suite that cannot run here is skipped by name, with the reason and how to get what
// is missing; with GIGEWIRE_NO_SKIP=1 (as in CI) it fails instead.

import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'vitest'
import { netnsUnavailable } from './netns.js'
import { POLKITD } from './system-bus.js'
import { isRoot } from './user-namespace.js'

const PACKAGES: Record<string, string> = {
  'arv-fake-gv-camera-0.8': 'apt-get install aravis-tools',
  'arv-camera-test-0.8': 'apt-get install aravis-tools',
  'arv-tool-0.8': 'apt-get install aravis-tools-cli',
  nft: 'apt-get install nftables',
  iptables: 'apt-get install iptables',
  ufw: 'apt-get install ufw',
  'firewall-cmd': 'apt-get install firewalld',
  'dbus-daemon': 'apt-get install dbus',
  'dbus-send': 'apt-get install dbus-bin',
  tshark: 'apt-get install tshark',
  cmake: 'apt-get install cmake g++',
  doctest: 'apt-get install doctest-dev',
  script: 'apt-get install bsdutils',
  setpriv: 'apt-get install util-linux',
  pkill: 'apt-get install procps',
  tc: 'apt-get install iproute2',
  sysctl: 'apt-get install procps',
  cc: 'apt-get install gcc',
  'clang++-19': 'apt-get install clang-19',
  'x86_64-w64-mingw32-g++-posix': 'apt-get install g++-mingw-w64-x86-64-posix',
  wine: 'apt-get install wine64 wine',
}

/** A package that every installation of ours fetches. */
const DEPENDENCY = 'commander@14.0.3'

const SPECIAL: Record<string, () => string | undefined> = {
  netns: netnsUnavailable,
  root: () =>
    isRoot
      ? undefined
      : 'only root may put settings of its own in the place of those under /etc: sudo npm test',
  // a header, not a command
  doctest: () =>
    existsSync('/usr/include/doctest/doctest.h') ? undefined : `doctest is missing: ${PACKAGES.doctest}`,
  // a service, not a command
  polkit: () => (existsSync(POLKITD) ? undefined : 'polkit is missing: apt-get install polkitd'),
  // a library, not a command
  'aravis-0.8': () =>
    spawnSync('pkg-config', ['--exists', 'aravis-0.8']).status === 0
      ? undefined
      : "Aravis' library is missing: apt-get install libaravis-dev libusb-1.0-0-dev pkg-config",
  libfuzzer: () => {
    const source = 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }'
    const program = path.join(tmpdir(), `gigewire-libfuzzer-${process.pid}`)
    const link = ['-fsanitize=fuzzer,address', '-x', 'c++', '-', '-o', program]
    const { status } = spawnSync('clang++-19', link, { input: source })
    rmSync(program, { force: true })
    return status === 0
      ? undefined
      : "clang's libFuzzer and ASan are missing: apt-get install libclang-rt-19-dev"
  },
  'npm registry': () => {
    const view = ['view', DEPENDENCY, 'version', '--fetch-retries=0', '--fetch-timeout=10000']
    return spawnSync('npm', view, { encoding: 'utf8' }).status === 0
      ? undefined
      : 'the npm registry does not answer: connect to the network, or `npm config set registry` to one that does'
  },
}

const answers = new Map<string, string | undefined>()

/** Why a need is not met here, and how to get it; undefined where it is. Looked up once. */
export function missing(need: string): string | undefined {
  if (!answers.has(need)) answers.set(need, lookUp(need))
  return answers.get(need)
}

function lookUp(need: string): string | undefined {
  const special = SPECIAL[need]
  if (special) return special()
  if (spawnSync('sh', ['-c', `command -v ${need}`]).status === 0) return undefined
  return `${need} is missing: ${PACKAGES[need] ?? `install ${need}`}`
}

/** describe() for suites with needs: 'netns', 'doctest', 'libfuzzer', 'npm registry', or names of commands. */
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
