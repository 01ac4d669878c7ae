// Wrong usage, help, and a machine without a binary: no camera is needed for these.

import { spawnSync } from 'node:child_process'
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { lines, plainCli } from './run-cli.js'

const COMMANDS = [
  'list',
  'info',
  'features',
  'get',
  'set',
  'execute',
  'events',
  'save-settings',
  'load-settings',
  'types',
  'grab',
  'stream',
  'plan',
  'preflight',
  'ip',
  'force-ip',
  'simulate',
  'bench',
]

describe('usage', () => {
  it.each([
    [[], /Usage: gigewire/],
    [['foo'], /unknown command 'foo'/],
    [['list', '--nonsense'], /unknown option '--nonsense'/],
    [['list', '--timeout', 'soon'], /whole number/],
    [['stream'], /name a camera/],
    [['stream', '10.0.0.1', '--sim'], /leave out '10.0.0.1'/],
    [['stream', '10.0.0.1', '--width', '64'], /--width belongs to --sim/],
    [['stream', '10.0.0.1', '--frames', '0'], /whole number from 1/],
    [['stream', '--sim', '--packet-size', 'big'], /whole number from 46/],
    [['stream', '--sim', '--cpu', '0,x'], /whole number from 0/],
    [['plan'], /missing required argument/],
    [['grab', '10.0.0.1', '-o', 'frame.jpg'], /\.raw .* or \.png/],
    [['set', '10.0.0.1', 'Width'], /Name=value/],
    [['ip', '10.0.0.1', '--netmask', '255.0.0.0'], /belong to an --address/],
    [['ip', '10.0.0.1', '--address', '10.0.0'], /IPv4/],
    [['simulate', '--fault', 'nonsense=1'], /no fault 'nonsense'/],
    [['simulate', '--pattern', 'Plaid'], /one of Checkable/],
    [['bench', '--only', 'cpu,nonsense'], /They are cpu, latency/],
    [['bench', '--engine', 'steam'], /one of auto, copy/],
  ])('%j ends with exit code 2 and says why', async (args, message) => {
    const result = await plainCli(args)
    expect(result.code).toBe(2)
    expect(result.stderr).toMatch(message)
    expect(result.stdout).toBe('')
  })

  it('tells wrong usage as an object with --json', async () => {
    const result = await plainCli(['stream', '--sim', '--frames', 'x', '--json'])
    expect(result.code).toBe(2)
    expect(lines(result.stdout)).toEqual([
      {
        error: expect.objectContaining({
          code: 'ERR_GIGE_INVALID_ARGUMENT',
          message: expect.stringContaining("'x'"),
        }),
      },
    ])
    expect(result.stderr).toBe('')
  })

  it('each command has help with examples', { timeout: 60_000 }, async () => {
    const { code, stdout } = await plainCli(['--help'])
    expect(code).toBe(0)
    for (const command of COMMANDS) {
      expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'))
      const help = await plainCli([command, '--help'])
      expect(help.code).toBe(0)
      expect(help.stdout).toContain(`$ gigewire ${command}`)
      expect(help.stdout).toContain('--json')
    }
  })

  it('prints its version', async () => {
    expect((await plainCli(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})

describe('a machine without a fitting binary', () => {
  it('gets one message with platform and command, and exit code 1', async () => {
    const root = fileURLToPath(new URL('../..', import.meta.url))
    const directory = await mkdtemp(path.join(os.tmpdir(), 'gigewire-bare-'))
    try {
      await cp(path.join(root, 'dist'), path.join(directory, 'dist'), { recursive: true })
      await cp(path.join(root, 'package.json'), path.join(directory, 'package.json'))
      await symlink(path.join(root, 'node_modules'), path.join(directory, 'node_modules'))
      const main = path.join(directory, 'dist/cli/main.js')
      const run = (...args: string[]) =>
        spawnSync(process.execPath, [main, ...args], {
          encoding: 'utf8',
          env: { ...process.env, NO_COLOR: '1' },
        })
      const text = run('list')
      expect(text.status).toBe(1)
      expect(text.stderr).toContain(`${process.platform}-${process.arch}`)
      expect(text.stderr).toMatch(/node ".*native\/packaging\/build\.mjs"/)
      expect(text.stderr).not.toMatch(/^\s+at /m)
      const json = run('list', '--json')
      expect(json.status).toBe(1)
      expect(JSON.parse(json.stdout)).toMatchObject({
        error: { code: 'ERR_GIGE_NATIVE', platform: process.platform },
      })
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})
