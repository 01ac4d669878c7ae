// `npm start`: the first thing anybody sees of the package.

import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'
import { main, RunningCli } from './run-cli.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

describeWith(['netns'], 'npm start', () => {
  let network: Namespace
  beforeAll(() => {
    network = new Namespace()
  })
  afterAll(() => network?.[Symbol.dispose]())

  it('streams 300 frames of a simulated camera and says what was lost', async () => {
    const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined }
    const result = await new RunningCli(network.spawn('npm', ['start'], { cwd: root, env })).end()
    expect(result.code).toBe(0)
    expect(result.stderr).toMatch(/100% {2}300\/300 frames/)
    expect(result.stdout).toMatch(/received +300 frames in \d+\.\d+ s: (29|30)\.\d+ fps/)
    expect(result.stdout).toMatch(/packets +([\d,]+) expected = \1 received \+ 0 missing/)
    expect(result.stdout).toMatch(/packet size \d+ bytes, limited by/)
  })
})

describeWith(['netns', 'script'], 'a terminal', () => {
  it('shows a bar that moves in place, in colour, and leaves its last state standing', async () => {
    using network = new Namespace()
    const command = `stty cols 100; ${process.execPath} ${main} stream --sim --frames 20 --width 64 --height 64`
    const env = {
      ...process.env,
      TERM: 'xterm-256color',
      NO_COLOR: undefined,
      FORCE_COLOR: undefined,
      CI: undefined,
    }
    const { code, stdout } = await new RunningCli(
      network.spawn('script', ['-qec', command, '/dev/null'], { env, stdio: ['ignore', 'pipe', 'pipe'] }),
    ).end()
    expect(code).toBe(0)
    const redraws = stdout.split('\r\u001b[2K')
    expect(redraws.length).toBeGreaterThan(3)
    const last = redraws.at(-1)!
    expect(last).toContain('\u2588'.repeat(24))
    expect(last).toMatch(/100% {2}20\/20 frames .*\r?\n/)
    expect(last).toContain('\u001b[1mreceived')
  })
})
