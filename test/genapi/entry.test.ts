// The entry gigewire/genapi, as another package sees it: a copy of the built library without any binary, and the types that
// `gigewire types` prints, by the compiler's verdict.

import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { featureTypes } from '../../lib/cli/feature-types.js'
import { camera, description, register } from './describe-camera.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const TSC = path.join(root, 'node_modules/typescript/bin/tsc')

let project: string

beforeAll(async () => {
  project = await mkdtemp(path.join(os.tmpdir(), 'gigewire-entry-'))
  const installed = path.join(project, 'node_modules/gigewire')
  await mkdir(installed, { recursive: true })
  for (const item of ['dist', 'package.json'])
    await cp(path.join(root, item), path.join(installed, item), { recursive: true })
  await writeFile(path.join(project, 'package.json'), '{ "type": "module" }')
})
afterAll(async () => await rm(project, { recursive: true, force: true }))

function run(...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: project }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr }),
    )
  })
}

it('reads and writes features over any port, where there is no binary and no other package', async () => {
  const xml = description(register('IntReg', 'Width', 0x100))
  await writeFile(
    path.join(project, 'use.mjs'),
    `import { createNodeMap, loadDescription } from 'gigewire/genapi'
     const memory = new Uint8Array(0x200)
     const port = {
       read: async (address, length) => memory.slice(address, address + length),
       write: async (address, data) => void memory.set(data, address),
     }
     const features = createNodeMap(loadDescription(new TextEncoder().encode(${JSON.stringify(xml)})).xml, port)
     await features.set('Width', 640)
     console.log(await features.get('Width'), memory[0x102], memory[0x103])
     await import('gigewire').then(() => console.log('a binary'), ({ code }) => console.log(code))`,
  )
  const { code, output } = await run('use.mjs')
  expect(output.trim().split('\n')[0]).toBe('640 2 128')
  expect(output).not.toContain('a binary')
  expect(code).toBe(0)
})

describe('the types of a camera', () => {
  const entry = (name: string, rest = '') => `<EnumEntry Name="${name}"><Value>1</Value>${rest}</EnumEntry>`
  const NODES = `<Category Name="Root">${['PixelFormat', 'Width', 'Stamp', 'ExposureTime', 'ReverseX', 'DeviceUserID', 'Start', 'Absent'].map((name) => `<pFeature>${name}</pFeature>`).join('')}</Category>
    <Enumeration Name="PixelFormat"><ToolTip>Format */ of
      pixels</ToolTip>${entry('Mono8')}${entry('Mono12')}${entry('NoSuch', '<pIsImplemented>Zero</pIsImplemented>')}
      ${entry('Evil', `<Symbolic>x' | any; "\\</Symbolic>`)}<Value>1</Value></Enumeration>
    <Integer Name="Width"><Value>1</Value><Min>0</Min><Max>100</Max></Integer><Integer Name="Stamp"><Value>1</Value></Integer>
    <Float Name="ExposureTime"><Value>1</Value><Unit>us</Unit></Float><Boolean Name="ReverseX"><Value>0</Value></Boolean>
    <String Name="DeviceUserID"><Value>a</Value></String><Command Name="Start"><Value>0</Value><CommandValue>1</CommandValue></Command>
    <Integer Name="Absent"><Value>1</Value><pIsImplemented>Zero</pIsImplemented></Integer><Integer Name="Zero"><Value>0</Value></Integer>`

  const compile = async (types: string, program: string) => {
    // As a source file, which the compiler checks whatever it skips.
    await writeFile(path.join(project, 'camera.ts'), types)
    await writeFile(path.join(project, 'use.ts'), program)
    return await run(
      TSC,
      ...[
        '--noEmit',
        '--strict',
        '--skipLibCheck',
        '--module',
        'nodenext',
        '--target',
        'es2022',
        '--lib',
        'es2023,esnext.disposable',
      ],
      ...['--typeRoots', path.join(root, 'node_modules/@types'), '--types', 'node', 'use.ts', 'camera.ts'],
    )
  }

  it('make a misspelt entry, a wrong type and an impossible value errors', async () => {
    const { map } = camera(NODES)
    const types = await featureTypes(map, { about: 'A camera\n*/ with a name' })
    expect(types).toContain(
      '  /** Format * / of pixels */\n  PixelFormat: "Mono8" | "Mono12" | "x\' | any; \\"\\\\"\n',
    )
    expect(types).not.toMatch(/Absent|NoSuch/)
    const program = `import type { Camera } from 'gigewire'
import type { NodeMap } from 'gigewire/genapi'
import type { Command, Features } from './camera.js'
export async function use(camera: Camera, own: NodeMap<Features>, name: string) {
  const { features } = camera
  await features.set('PixelFormat', 'Mono8')
  // @ts-expect-error
  await features.set('PixelFormat', 'Mon08')
  // @ts-expect-error
  await own.set('PixelFormat', 'Mon08')
  // @ts-expect-error
  await features.set('ExposureTime', 'long')
  // @ts-expect-error
  const wrong: boolean = await features.get('Width')
  const right: [number, number | bigint, number, boolean, string] = [
    await features.get('Width'), await features.get('Stamp'), await features.get('ExposureTime'), await features.get('ReverseX'), await features.get('DeviceUserID'),
  ]
  const start: Command = 'Start'
  await features.execute(start)
  await features.set('MakersOwn', 5)
  return [wrong, right, await features.get(name)]
}`
    expect(await compile(types, program)).toEqual({ code: 0, output: '' })
  })

  it('leave other cameras alone when they are local', async () => {
    const { map } = camera(NODES)
    const types = await featureTypes(map, { about: 'A camera', isLocal: true })
    const program = `import type { Camera } from 'gigewire'
import type { NodeMap } from 'gigewire/genapi'
import type { Features } from './camera.js'
export async function use(camera: Camera) {
  await camera.features.set('PixelFormat', 'Mon08')
  // @ts-expect-error
  await (camera.features as unknown as NodeMap<Features>).set('PixelFormat', 'Mon08')
}`
    expect(await compile(types, program)).toEqual({ code: 0, output: '' })
  })
})
