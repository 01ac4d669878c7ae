// `npm pack` and `npm install` as users meet them: what is in the tarball, that it works without a compiler by import and by
// require, that its types are right, and that it builds from source where no prebuild fits.

import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Namespace } from '../helpers/netns.js'
import { describeWith, missing } from '../helpers/requirements.js'
import { barePath, install, type Packed, pack, root, run, runOk } from './installed.js'

const MINUTES = 60_000
const TSC = path.join(root, 'node_modules/typescript/bin/tsc')

const GRAB = `
async function main({ startSimulator, openCamera, firstWrongByte }) {
  const simulator = await startSimulator({ width: 640, height: 480, seed: 3 })
  const camera = await openCamera(simulator.address)
  const frame = await camera.grab()
  const wrong = firstWrongByte(frame.data, frame.blockId, 3n)
  console.log(JSON.stringify({ width: frame.width, bytes: frame.data.length, complete: frame.complete, wrong }))
  frame.release()
  await camera.close()
  await simulator.stop()
}
`
const GRABBED = { width: 640, bytes: 307_200, complete: true, wrong: -1 }

let directory: string
let packed: Packed
let bare: NodeJS.ProcessEnv
let project: string
let installOutput: string

beforeAll(async () => {
  if (missing('npm registry')) return // each suite says so
  directory = await mkdtemp(path.join(os.tmpdir(), 'gigewire-pack-'))
  packed = await pack(directory)
  bare = { PATH: await barePath(directory) }
  const installed = await install(packed.tarball, bare)
  project = installed.project
  installOutput = installed.output
}, 10 * MINUTES)

afterAll(async () => {
  if (directory) await rm(directory, { recursive: true, force: true })
  if (project) await rm(project, { recursive: true, force: true })
})

describeWith(['npm registry'], 'the tarball', () => {
  it('holds what is needed to run and to build, and nothing else', () => {
    const files = packed.files.map((file) => file.path)
    for (const file of [
      ...['package.json', 'README.md', 'LICENSE', 'CMakeLists.txt', 'binding.d.ts'],
      ...['dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js'],
      ...['native/core/path/receiver.cc', 'native/sim/camera.cc', 'native/binding/addon.cc'],
      ...['native/packaging/build.mjs', 'native/packaging/cmake-js.mjs'],
    ]) {
      expect(files).toContain(file)
    }
    expect(files.filter((file) => file.endsWith('.node'))).toContainEqual(
      expect.stringMatching(`^prebuilds/${process.platform}-${process.arch}/gigewire(\\.\\w+)?\\.node$`),
    )
    const folders = new Set(files.map((file) => file.split('/')[0]))
    expect([...folders].sort()).toEqual(
      [
        'CHANGELOG.md',
        'CMakeLists.txt',
        'CONTRIBUTING.md',
        'LICENSE',
        'README.md',
        'binding.d.ts',
        'dist',
        'docs',
        'native',
        'package.json',
        'prebuilds',
      ].sort(),
    )
    expect(files.filter((file) => /(^|\/)test\/|\.test\.|build/.test(file))).toEqual([
      'native/packaging/build.mjs',
      'native/packaging/make-prebuilds.mjs',
      ...files.filter((file) => file.startsWith('prebuilds/')),
    ])
  })

  it('has every source that CMakeLists.txt names', async () => {
    const cmake = await readFile(path.join(root, 'CMakeLists.txt'), 'utf8')
    const files = new Set(packed.files.map((file) => file.path))
    const sources = [...cmake.matchAll(/^\s+(native\/\S+\.cc)$/gm)].map((match) => match[1]!)
    expect(sources.length).toBeGreaterThan(30)
    expect(sources.filter((source) => !files.has(source))).toEqual([])
  })

  it('has every file that its README links to', async () => {
    const readme = await readFile(path.join(root, 'README.md'), 'utf8')
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map((match) => match[1]!)
    const files = new Set(packed.files.map((file) => file.path))
    expect(links.length).toBeGreaterThan(5)
    expect(links.filter((link) => !files.has(link))).toEqual([])
  })

  it('runs no script on install', async () => {
    const manifest = JSON.parse(
      await readFile(path.join(project, 'node_modules/gigewire/package.json'), 'utf8'),
    ) as {
      scripts: Record<string, string>
    }
    expect(Object.keys(manifest.scripts)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(pre|post)?install$/)]),
    )
    // npm would run node-gyp by itself for that file
    expect(await readdir(path.join(project, 'node_modules/gigewire'))).not.toContain('binding.gyp')
    expect(installOutput).not.toMatch(/> gigewire@/)
  })

  it('asks for no newer glibc than it says', async () => {
    if (process.platform !== 'linux') return
    const folder = path.join(root, 'prebuilds', `linux-${process.arch}`)
    for (const file of await readdir(folder)) {
      const text = (await readFile(path.join(folder, file))).toString('latin1')
      const minors = [...text.matchAll(/GLIBC_2\.(\d+)/g)].map((match) => Number(match[1]))
      expect(Math.max(...minors)).toBeLessThanOrEqual(34)
    }
  })

  it('has a reason for every dependency in docs/decisions.md', async () => {
    const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>
      devDependencies: Record<string, string>
    }
    const decisions = await readFile(path.join(root, 'docs/decisions.md'), 'utf8')
    const named = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)]
    expect(named.filter((name) => !decisions.includes(`\`${name}\``))).toEqual([])
  })
})

describeWith(['netns', 'npm registry'], 'installed without compiler and CMake', () => {
  let network: Namespace

  beforeAll(() => {
    network = new Namespace()
  })
  afterAll(() => network?.[Symbol.dispose]())

  const node = async (...args: string[]) => {
    const command = ['-i', `PATH=${bare.PATH}`, process.execPath, ...args]
    return await run(...network.command('env', command, project), { cwd: project })
  }

  it('grabs a frame by import', async () => {
    await writeFile(
      path.join(project, 'by-import.mjs'),
      `import * as gigewire from 'gigewire'\n${GRAB}\nawait main(gigewire)\n`,
    )
    const { code, output } = await node('by-import.mjs')
    expect(code, output).toBe(0)
    expect(JSON.parse(output)).toEqual(GRABBED)
  })

  it('grabs a frame by require', async () => {
    await writeFile(
      path.join(project, 'by-require.cjs'),
      `const gigewire = require('gigewire')\n${GRAB}\nmain(gigewire)\n`,
    )
    const { code, output } = await node('by-require.cjs')
    expect(code, output).toBe(0)
    expect(JSON.parse(output)).toEqual(GRABBED)
  })

  it('brings the command line', async () => {
    const { code, output } = await node(
      path.join(project, 'node_modules/.bin/gigewire'),
      ...['grab', '--sim', '--width', '64', '--height', '64', '-o', 'frame.png', '--json'],
    )
    expect(code, output).toBe(0)
    expect(JSON.parse(output)).toMatchObject({ frame: { width: 64, complete: true } })
    expect((await readFile(path.join(project, 'frame.png'))).subarray(1, 4).toString()).toBe('PNG')
  })
})

describeWith(['npm registry'], 'types', () => {
  it('publint has nothing to say', async () => {
    const output = await runOk(path.join(root, 'node_modules/.bin/publint'), [
      'run',
      packed.tarball,
      '--strict',
    ])
    expect(output).toMatch(/All good/)
  })

  it('are-the-types-wrong finds nothing wrong', async () => {
    const attw = path.join(root, 'node_modules/.bin/attw')
    const output = await runOk(attw, [
      packed.tarball,
      '--profile',
      'esm-only',
      '--no-definitely-typed',
      '--no-emoji',
    ])
    // It ends with 1 on any problem but that of the profile: old Nodes cannot require() an ES module.
    expect(output).toMatch(/node16 \(from ESM\).*OK \(ESM\)/)
    expect(output).toMatch(/bundler.*OK/)
  })

  const compile = async (file: string, source: string, module = 'nodenext', resolution = module) => {
    await writeFile(path.join(project, file), source)
    const options = ['--strict', '--noEmit', '--target', 'es2022', '--lib', 'es2023,esnext.disposable']
    return await run(
      process.execPath,
      [TSC, ...options, '--types', 'node', '--module', module, '--moduleResolution', resolution, file],
      { cwd: project },
    )
  }

  beforeAll(async () => {
    for (const name of ['@types/node', 'undici-types']) {
      const target = path.join(project, 'node_modules', name)
      await cp(path.join(root, 'node_modules', name), target, { recursive: true })
    }
  })

  it.each([
    ['consumer.mts', 'nodenext', 'nodenext'],
    ['consumer.ts', 'esnext', 'bundler'],
  ])(
    '%s compiles strictly with module %s and resolution %s',
    async (file, module, resolution) => {
      const { code, output } = await compile(file, CONSUMER, module, resolution)
      expect(code, output).toBe(0)
    },
    MINUTES,
  )

  it(
    'a CommonJS consumer compiles strictly',
    async () => {
      const source = `import gigewire = require('gigewire')\nexport const found: Promise<gigewire.CameraInfo[]> = gigewire.discover()\n`
      const { code, output } = await compile('consumer.cts', source)
      expect(code, output).toBe(0)
    },
    MINUTES,
  )

  it(
    'a misspelled option is a compile error',
    async () => {
      const { code, output } = await compile(
        'wrong.mts',
        "import { discover } from 'gigewire'\nawait discover({ timout: 5 })\n",
      )
      expect(code).not.toBe(0)
      expect(output).toContain('timout')
    },
    MINUTES,
  )
})

describeWith(['cmake', 'npm registry'], 'where no prebuild fits', () => {
  it(
    'loading names the platform and one command, and that command works',
    async () => {
      const { project: other } = await install(packed.tarball)
      try {
        const installed = path.join(other, 'node_modules/gigewire')
        await rm(path.join(installed, 'prebuilds'), { recursive: true })
        const script =
          "import('gigewire').then((g) => console.log(typeof g.discover), (e) => { console.log(JSON.stringify({ code: e.code, message: e.message, hint: e.hint })); process.exitCode = 1 })"
        const without = await run(process.execPath, ['-e', script], { cwd: other })
        expect(without.code).toBe(1)
        const error = JSON.parse(without.output) as { code: string; message: string; hint: string }
        expect(error.code).toBe('ERR_GIGE_NATIVE')
        expect(error.message).toContain(`${process.platform}-${process.arch}`)
        expect(error.hint).toMatch(/CMake 3\.\d+.*C\+\+20 compiler/s)
        const command = /(node ".*build\.mjs")/.exec(error.hint)?.[1]
        expect(command).toBeDefined()
        await runOk('sh', ['-c', command!], { cwd: other })
        expect(await runOk(process.execPath, ['-e', script], { cwd: other })).toBe('function\n')
      } finally {
        await rm(other, { recursive: true })
      }
    },
    10 * MINUTES,
  )

  it('building without a compiler says what is missing', async () => {
    const { code, output } = await run(
      process.execPath,
      [path.join(root, 'native/packaging/build.mjs'), '--out', path.join(directory, 'nothing')],
      {
        env: { ...bare },
      },
    )
    expect(code).toBe(1)
    expect(output).toMatch(/needs CMake 3\.18 or newer and a C\+\+20 compiler/)
  })
})

const CONSUMER = `
import { type Camera, type Frame, GigeError, type StreamStats, attachStream, discover, openCamera, startSimulator, watchCameras } from 'gigewire'

await using simulator = await startSimulator({ width: 64, faults: { loss: 0.01 } })
const cameras = await discover({ addresses: [simulator.address], until: (found) => found.length > 0 })
await using camera: Camera = await openCamera(cameras[0]!)
const exposure: unknown = await camera.features.get('ExposureTime')
const stream = camera.stream({ buffers: 4, packetSize: 'auto', frames: 3 })
stream.on('incomplete', ({ blockId, missing }) => console.log(blockId + 1n, missing * 2))
for await (using frame of stream) {
  const one: Frame = frame
  console.log(one.width, one.blockId + 1n, one.data.byteLength, one.missing[0]?.offset)
}
const stats: StreamStats = stream.stats()
console.log(stats.packetsExpected === stats.packetsReceived + stats.packetsMissing, exposure)
for await (const change of watchCameras({ interval: 100 })) {
  if (change.type === 'removed') break
}
try {
  attachStream(stream.share())
} catch (error) {
  if (error instanceof GigeError && error.code === 'ERR_GIGE_CLOSED') console.log(error.hint)
}
`
