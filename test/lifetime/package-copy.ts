// A second copy of the built package, with a binary of choice. Purpose: what is loaded from it shares nothing with the first.

import { chmodSync, cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { packageRoot } from '../helpers/inside.js'

export const root = fileURLToPath(new URL('../..', import.meta.url))

export interface PackageCopy extends Disposable {
  entry: string
}

export function copyPackage(binary = path.join(packageRoot, 'build/Release/gigewire.node')): PackageCopy {
  const directory = mkdtempSync(path.join(tmpdir(), 'gigewire-copy-'))
  chmodSync(directory, 0o755) // for processes without privileges, too
  cpSync(path.join(root, 'dist'), path.join(directory, 'dist'), { recursive: true })
  cpSync(binary, path.join(directory, 'build/Release/gigewire.node'))
  cpSync(path.join(root, 'package.json'), path.join(directory, 'package.json'))
  symlinkSync(path.join(root, 'node_modules'), path.join(directory, 'node_modules'))
  return {
    entry: path.join(directory, 'dist/index.js'),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  }
}
