// Files of frames: `.raw` takes the payloads one after the other, byte for byte; `.png` takes one picture, or numbered ones.

import { type FileHandle, open, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { InvalidArgumentError } from 'commander'
import type { Frame } from '../types.js'
import { encodePng } from './png.js'

export interface FrameWriter extends AsyncDisposable {
  /** Reads frame.data until the promise settles; the frame must be kept so long. */
  write(frame: Frame): Promise<void>
  readonly files: number
  readonly bytes: number
  /** What was written, for people. */
  describe(): string
}

/** For commander: a file name that says what to write. */
export function outputFile(name: string): string {
  if (!['.raw', '.png'].includes(path.extname(name).toLowerCase())) {
    throw new InvalidArgumentError('It must end in .raw (bytes as received) or .png (a picture).')
  }
  return name
}

/** `several`: a .png name gets a number for each frame. Errors: those of the file system. */
export async function createWriter(name: string, several: boolean): Promise<FrameWriter> {
  if (path.extname(name).toLowerCase() === '.png') return new PngWriter(name, several)
  return new RawWriter(name, await open(name, 'w'))
}

class RawWriter implements FrameWriter {
  files = 1
  bytes = 0

  constructor(
    private readonly name: string,
    private readonly file: FileHandle,
  ) {}

  async write(frame: Frame): Promise<void> {
    const { data } = frame
    for (let done = 0; done < data.length; ) {
      const { bytesWritten } = await this.file.write(data, done, data.length - done)
      done += bytesWritten
    }
    this.bytes += data.length
  }

  describe(): string {
    return `${this.name}, ${this.bytes.toLocaleString('en-US')} bytes`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.file.close()
  }
}

class PngWriter implements FrameWriter {
  files = 0
  bytes = 0

  constructor(
    private readonly name: string,
    private readonly several: boolean,
  ) {}

  async write(frame: Frame): Promise<void> {
    const png = encodePng(frame)
    const extension = path.extname(this.name)
    const number = String(this.files + 1).padStart(6, '0')
    const name = this.several ? `${this.name.slice(0, -extension.length)}-${number}${extension}` : this.name
    await writeFile(name, png)
    this.files++
    this.bytes += png.length
  }

  describe(): string {
    const name = this.several ? `${this.files} files ${this.name.replace(/\.png$/i, '-*$&')}` : this.name
    return `${name}, ${this.bytes.toLocaleString('en-US')} bytes`
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
