// `gigewire bench --camera`: runs the measurement of lib/bench/camera/ with progress, and prints facts and verdict.

import type { Command } from 'commander'
import { measureCamera } from '../bench/camera/measure.js'
import { judge } from '../bench/camera/verdict.js'
import { openCamera } from '../camera.js'
import { GigeError } from '../errors.js'
import type { FrameStream } from '../types.js'
import { number, wholeNumber } from './arguments.js'
import { benchCameraLines } from './bench-camera-report.js'
import { addOpenOptions, describeCamera, type OpenFlags, openOptions } from './camera-session.js'
import { setFeatures } from './feature-text.js'
import { Interrupted, InterruptWatch } from './interrupt.js'
import type { Output } from './output.js'
import { Progress } from './progress.js'
import { addStreamOptions, type StreamFlags, streamOptions } from './stream-options.js'
import { describePacketSize } from './summary.js'

const DEFAULT_SECONDS = 10

export interface BenchCameraFlags extends OpenFlags, StreamFlags {
  camera?: string
  frames?: number
  duration?: number
}

export function addBenchCameraOptions(command: Command): void {
  command
    .option('--camera <camera>', 'measure this camera: address, MAC, serial number or user name')
    .option('-t, --duration <seconds>', `measure for so long (${DEFAULT_SECONDS})`, number(0.1, 3600))
    .option('-n, --frames <count>', 'stop after so many frames, if that is sooner', wholeNumber(1))
  addStreamOptions(command)
  addOpenOptions(command)
  command.addHelpText(
    'after',
    `
The camera runs as it is set; --set changes a feature first, and it stays so. What is measured: rate, losses by cause, jitter,
CPU, resend; and which link of the chain from the sensor to the program sets the rate. Exit code 1 where no frame came.

Examples:
  $ gigewire bench --camera 192.168.1.20
  $ gigewire bench --camera 192.168.1.20 --duration 60 --set AcquisitionFrameRate=100
  $ gigewire bench --camera 192.168.1.20 --engine copy --json > bench.json`,
  )
}

export async function benchCamera(target: string, flags: BenchCameraFlags, output: Output): Promise<void> {
  using watch = new InterruptWatch()
  await using camera = await openCamera(target, openOptions(flags, watch.signal))
  output.note(`found       ${describeCamera(camera.info)}`)
  await setFeatures(camera.features, flags.set ?? [])
  const duration = (flags.duration ?? DEFAULT_SECONDS) * 1000
  let done = 0
  let frames = 0
  let stream: FrameStream | undefined
  using progress = new Progress(output, () => ({ fraction: done, text: progressText(frames, stream) }))
  const facts = await measureCamera(camera, {
    duration,
    ...(flags.frames !== undefined && { frames: flags.frames }),
    stream: streamOptions(flags),
    signal: watch.signal,
    onStart: (started) => {
      stream = started
      output.note(`packet size ${describePacketSize(started.packetSize)}`)
      progress.start()
    },
    onProgress: (share, count) => {
      done = share
      frames = count
    },
  }).catch((error: unknown) => {
    throw watch.by ? new Interrupted(watch.by) : error
  })
  if (facts.frames > 0 && !watch.by) done = 1
  progress.finish()
  const findings = judge(facts)
  output.object({ camera: camera.info, facts, findings, ...(watch.by && { interruptedBy: watch.by }) })
  if (watch.by && facts.frames === 0) throw new Interrupted(watch.by)
  if (facts.frames > 0) {
    for (const line of benchCameraLines(facts, findings, output.style)) output.line(line)
    if (watch.by) throw new Interrupted(watch.by)
    return
  }
  const [verdict] = findings
  throw new GigeError('ERR_GIGE_TIMEOUT', `No frame was received: ${verdict?.evidence.join('; ')}`, {
    hint: verdict?.next ?? '',
  })
}

function progressText(frames: number, stream: FrameStream | undefined): string {
  const stats = stream?.stats()
  const lost = (stats?.blocksIncomplete ?? 0) + (stats?.blocksNoSlot ?? 0) + (stats?.blocksMissed ?? 0)
  return `${frames} frames  ${stats?.packetsResent ?? 0} packets resent  ${lost} frames lost`
}
