// `gigewire bench` from end to end: processes, private networks, figures and pictures. What the figures are is not tested: machines
// differ.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { Results } from '../../lib/bench/model.js'
import { describeWith } from '../helpers/requirements.js'
import { plainCli } from './run-cli.js'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

const SHORT = ['--rounds', '1', '--seconds', '0.1']

describeWith(['netns'], 'gigewire bench', () => {
  it('loses nothing while the event loop stalls, and says so for people and for programs', async () => {
    const { code, stdout, stderr } = await plainCli(['bench', '--only', 'stall', ...SHORT, '--json'])
    expect(code, stderr).toBe(0)
    const { sections, machine } = JSON.parse(stdout) as Results
    expect(machine).toMatch(/core/)
    const measured = sections[0]!.measured
    expect(measured.map(({ receiver }) => receiver)).toEqual(
      [50, 100, 500].map((ms) => `gigewire, loop stalled ${ms} ms`),
    )
    for (const { runs } of measured) {
      expect(runs[0]).toMatchObject({ lost: 0, framesLost: 0 })
      expect(runs[0]!.packets).toBeGreaterThan(0)
      expect(runs[0]!.latency!.frames).toBeGreaterThan(0)
      expect(runs[0]!.latency!.p50).toBeGreaterThan(0)
    }
  }, 120_000)

  it('tells what was sent again, and draws it', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'gigewire-bench-'))
    folders.push(folder)
    const { code, stdout, stderr } = await plainCli(['bench', '--only', 'loss', ...SHORT, '--svg', folder])
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/cable, 9000, .* 10 % lost +\d/)
    expect(stderr).toMatch(/\d%/)
    expect(await readdir(folder)).toEqual(['loss.svg'])
    expect(await readFile(path.join(folder, 'loss.svg'), 'utf8')).toContain('</svg>')
  }, 120_000)
})
