// `gigewire grab`: one frame, into a file or only looked at.

import type { Command } from 'commander'
import type { ChunkValues, Frame } from '../../types.js'
import { wholeNumber } from '../arguments.js'
import {
  addSessionOptions,
  CameraSession,
  checkTarget,
  describeCamera,
  type SessionFlags,
} from '../camera-session.js'
import { setFeatures } from '../feature-text.js'
import { createWriter, outputFile } from '../frame-writer.js'
import { InterruptWatch } from '../interrupt.js'
import type { Output } from '../output.js'
import { addStreamOptions, type StreamFlags, streamOptions } from '../stream-options.js'
import { printable, table } from '../table.js'

interface Flags extends SessionFlags, StreamFlags {
  output?: string
  timeout?: number
}

export function addGrab(program: Command, output: Output): void {
  const command = program
    .command('grab [camera]')
    .description('receive one frame and write it as .png or .raw')
    .option('-o, --output <file>', '.png (a picture) or .raw (bytes as received)', outputFile)
    .option('--timeout <ms>', 'how long to wait for a complete frame (5000)', wholeNumber(1, 3_600_000))
  addStreamOptions(command)
  addSessionOptions(command)
  command.addHelpText(
    'after',
    `
In a PNG, Bayer formats are shown in colour (bilinear), and 10, 12 and 14 bits become 16 by a shift to the left.

Examples:
  $ gigewire grab 192.168.1.20 -o frame.png
  $ gigewire grab 192.168.1.20 --set PixelFormat=Mono12p --timeout 20000 -o frame.raw
  $ gigewire grab --sim --pattern TestCard --pixel-format RGB8 -o card.png`,
  )
  command.action(async (camera: string | undefined, flags: Flags) => {
    checkTarget(command, camera, flags)
    await grab(camera, flags, output)
  })
}

async function grab(target: string | undefined, flags: Flags, output: Output): Promise<void> {
  using watch = new InterruptWatch()
  await using session = await CameraSession.open(target, flags, output, watch.signal)
  const { camera } = session
  output.note(`found       ${describeCamera(camera.info)}, ${Math.round(session.found)} ms`)
  await setFeatures(camera.features, flags.set ?? [])
  using frame = await camera.grab({
    ...streamOptions(flags),
    ...(flags.timeout !== undefined && { timeout: flags.timeout }),
    signal: watch.signal,
  })
  const chunks = await frame.chunks
  output.line(describeFrame(frame))
  for (const line of chunkLines(chunks)) output.line(line)
  if (flags.output !== undefined) {
    await using writer = await createWriter(flags.output, false)
    await writer.write(frame)
    output.line(`written to ${writer.describe()}`)
  }
  output.object({
    camera: camera.info,
    frame: frameFacts(frame),
    ...(chunks.size > 0 && { chunks: chunkFacts(chunks) }),
    ...(flags.output !== undefined && { output: flags.output }),
  })
}

function describeFrame(frame: Frame): string {
  const { expected, received, resent } = frame.packets
  const image = frame.width > 0 ? `${frame.width} x ${frame.height} ${frame.pixelFormat}` : frame.payloadType
  return (
    `frame ${frame.blockId}: ${image}, ${frame.data.length.toLocaleString('en-US')} bytes, ` +
    `${received} of ${expected} packets${resent > 0 ? ` (${resent} of them sent again)` : ''}`
  )
}

function chunkLines(chunks: ChunkValues): string[] {
  return table(
    [...chunks].map(([name, outcome]) => [
      `  ${printable(name)}`,
      'error' in outcome ? String(outcome.error) : printable(String(outcome.value)),
    ]),
  )
}

function chunkFacts(chunks: ChunkValues): Record<string, unknown> {
  return Object.fromEntries(
    [...chunks].map(([name, outcome]) => [
      name,
      'error' in outcome ? { error: String(outcome.error) } : outcome.value,
    ]),
  )
}

function frameFacts(frame: Frame): Record<string, unknown> {
  return {
    blockId: frame.blockId,
    payloadType: frame.payloadType,
    width: frame.width,
    height: frame.height,
    offsetX: frame.offsetX,
    offsetY: frame.offsetY,
    stride: frame.stride,
    paddingX: frame.paddingX,
    paddingY: frame.paddingY,
    pixelFormat: frame.pixelFormat,
    pixelFormatCode: frame.pixelFormatCode,
    bitsPerPixel: frame.bitsPerPixel,
    bytes: frame.data.length,
    timestamp: frame.timestamp,
    timestampNs: frame.timestampNs,
    complete: frame.complete,
    packets: frame.packets,
  }
}
