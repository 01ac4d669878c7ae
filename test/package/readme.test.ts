// The README's first example runs as it stands there, against a simulated camera.

import { readFile } from 'node:fs/promises'
import path from 'node:path'
import ts from 'typescript'
import { expect, it } from 'vitest'
import { RunningCli, startCli } from '../cli/run-cli.js'
import { packageEntry } from '../helpers/inside.js'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'
import { root } from '../native/cmake-build.js'

async function example(): Promise<string> {
  const readme = await readFile(path.join(root, 'README.md'), 'utf8')
  return /```js\n(import .*?)```/s.exec(readme)![1]!
}

describeWith(['netns'], 'the README', () => {
  it('begins with an example of at most 15 lines that works', async () => {
    const source = await example()
    expect(source.trim().split('\n').length).toBeLessThanOrEqual(15)
    using network = new Namespace()
    const simulator = startCli(network, [
      'simulate',
      '--width',
      '64',
      '--height',
      '48',
      '--frame-rate',
      '200',
    ])
    await simulator.shows('ready')
    // `using` is newer than the oldest Node
    const { outputText } = ts.transpileModule(source.replace("'gigewire'", JSON.stringify(packageEntry)), {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    })
    const child = network.spawn(process.execPath, ['--input-type=module', '-e', outputText])
    const { code, stdout, stderr } = await new RunningCli(child).end()
    expect(code, stderr).toBe(0)
    expect(stdout.match(/^\d+n 64 48 Mono8 3072$/gm)).toHaveLength(100)
    expect(stdout).toMatch(/packetsMissing: 0/)
  })
})
