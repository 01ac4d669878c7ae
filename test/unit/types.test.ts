// The public types: an application of them compiles strictly, with `await using` and `for await (using frame of stream)`, and does
// what they promise.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import type * as api from '../../lib/index.js'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
let directory: string
let problems: string[]

beforeAll(() => {
  // A project that has the package among its dependencies.
  directory = mkdtempSync(path.join(tmpdir(), 'gigewire-types-'))
  mkdirSync(path.join(directory, 'node_modules/@types'), { recursive: true })
  symlinkSync(root, path.join(directory, 'node_modules/gigewire'))
  for (const name of ['@types/node', 'undici-types']) {
    symlinkSync(path.join(root, 'node_modules', name), path.join(directory, 'node_modules', name))
  }
  writeFileSync(path.join(directory, 'package.json'), '{ "type": "module" }')
  symlinkSync(path.join(root, 'test/unit/fixtures/application.ts'), path.join(directory, 'application.ts'))
  problems = compile()
})
afterAll(() => rmSync(directory, { recursive: true }))

function compile(): string[] {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    types: ['node'],
    typeRoots: [path.join(directory, 'node_modules/@types')],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false, // our own declarations are what is to be checked
    preserveSymlinks: true,
    rootDir: directory,
    outDir: path.join(directory, 'out'),
  }
  const program = ts.createProgram([path.join(directory, 'application.ts')], options)
  const { diagnostics } = program.emit()
  return [...ts.getPreEmitDiagnostics(program), ...diagnostics].map(
    ({ file, start, messageText }) =>
      `${file?.fileName}:${start}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
  )
}

describe('the types', () => {
  it('compile in an application, strictly', () => {
    expect(problems).toEqual([])
  })

  it('say what the design fixes', () => {
    expectTypeOf<api.FrameStream>().toExtend<AsyncIterable<api.Frame>>()
    expectTypeOf<api.FrameStream>().toExtend<AsyncDisposable>()
    expectTypeOf<api.Camera>().toExtend<AsyncDisposable>()
    expectTypeOf<api.Simulator>().toExtend<AsyncDisposable>()
    expectTypeOf<api.Frame>().toExtend<Disposable>()
    expectTypeOf<api.Frame['timestampNs']>().toEqualTypeOf<bigint | undefined>()
    expectTypeOf<api.Frame['missing']>().toEqualTypeOf<{ offset: number; length: number }[]>()
    expectTypeOf<api.Camera['grab']>().returns.resolves.toEqualTypeOf<api.Frame>()
    expectTypeOf<typeof api.openCamera>().parameter(0).toEqualTypeOf<api.CameraTarget>()
    expectTypeOf<api.StreamOptions['packetSize']>().toEqualTypeOf<number | 'auto' | undefined>()
    expectTypeOf<api.GigeError['code']>().toEqualTypeOf<api.GigeErrorCode>()
  })

  describeWith(['netns'], 'at run time', () => {
    it('`using` releases each frame, `await using` stops the stream and gives control back', {
      timeout: 60_000,
    }, () => {
      const net = new Namespace()
      try {
        const output = execFileSync(
          ...net.command(process.execPath, [path.join(directory, 'out/application.js')]),
          { encoding: 'utf8', timeout: 30_000 },
        )
        expect(JSON.parse(output)).toEqual({
          total: 5 * 64 * 48,
          taken: 5,
          code: 'ERR_GIGE_FRAME_RELEASED',
          streaming: false,
          controlPrivilege: 0,
        })
      } finally {
        net[Symbol.dispose]()
      }
    })
  })
})
