// `gigewire stream`: receives frames until told to stop, shows how it goes, and tells at the end what was lost and why.

import type { Command } from 'commander'
import { GigeError } from '../../errors.js'
import type { FrameStream } from '../../types.js'
import { number, wholeNumber } from '../arguments.js'
import {
  addSessionOptions,
  CameraSession,
  checkTarget,
  describeCamera,
  type SessionFlags,
} from '../camera-session.js'
import { setFeatures } from '../feature-text.js'
import { createWriter, type FrameWriter, outputFile } from '../frame-writer.js'
import { Interrupted, InterruptWatch } from '../interrupt.js'
import type { Output } from '../output.js'
import { Progress, type ProgressState } from '../progress.js'
import { addStreamOptions, type StreamFlags, streamOptions } from '../stream-options.js'
import { describePacketSize, RateMeter, summarize, summaryLines } from '../summary.js'

const SILENCE_MS = 3000

interface Flags extends SessionFlags, StreamFlags {
  frames?: number
  duration?: number
  output?: string
}

export function addStream(program: Command, output: Output): void {
  const command = program
    .command('stream [camera]')
    .description('receive frames; rate, losses by cause and packet size at the end')
    .option('-n, --frames <count>', 'stop after so many frames', wholeNumber(1))
    .option('-t, --duration <seconds>', 'stop after so long', number(0.001, 1e7))
    .option('-o, --output <file>', 'write frames: .raw one after the other, .png numbered', outputFile)
  addStreamOptions(command)
  addSessionOptions(command)
  command.addHelpText(
    'after',
    `
Without --frames or --duration it runs until Ctrl-C. Ctrl-C and SIGTERM stop the camera in order and print the summary; the
exit code is then 0 for such an endless run, 130 or 143 for one that was cut short, 1 when no frame came at all.

Examples:
  $ gigewire stream --sim --frames 300
  $ gigewire stream 192.168.1.20 --duration 60 --set ExposureTime=5000
  $ gigewire stream 192.168.1.20 --frames 100 -o frames.raw
  $ gigewire stream --sim --fault loss=1% --no-resend --duration 5`,
  )
  command.action(async (camera: string | undefined, flags: Flags) => {
    checkTarget(command, camera, flags)
    await stream(camera, flags, output)
  })
}

async function stream(target: string | undefined, flags: Flags, output: Output): Promise<void> {
  using watch = new InterruptWatch()
  await using session = await CameraSession.open(target, flags, output, watch.signal)
  const { camera } = session
  output.note(`found       ${describeCamera(camera.info)}, ${Math.round(session.found)} ms`)
  await setFeatures(camera.features, flags.set ?? [])
  await using writer = flags.output === undefined ? undefined : await createWriter(flags.output, true)
  await using frames = camera.stream({
    ...streamOptions(flags),
    ...(flags.frames !== undefined && { frames: flags.frames }),
  })
  frames.on('warning', (warning) => output.warn(warning.message, warning.hint))
  const meter = new RateMeter()
  // What came before the camera was lost is told all the same.
  const failure = await receive(frames, meter, flags, writer, output, watch).then(
    () => undefined,
    (error: unknown) => error,
  )
  if (failure !== undefined && frames.engine === undefined) throw failure // it never started
  const summary = summarize(meter, frames)
  for (const line of summaryLines(summary, output.style)) output.line(line)
  if (writer) output.line(`${output.style.paint('bold', 'written')}     ${writer.describe()}`)
  output.object({
    camera: camera.info,
    ...summary,
    ...(flags.output !== undefined && { output: flags.output }),
    ...(watch.by && { interruptedBy: watch.by }),
  })
  if (failure !== undefined) throw failure
  if (meter.frames === 0) throw nothingCame(frames)
  const bounded = flags.frames !== undefined || flags.duration !== undefined
  if (watch.by && bounded) throw new Interrupted(watch.by)
}

/** Frames until the end, a signal, or the duration; all three close the stream, and the loop ends by itself. */
async function receive(
  frames: FrameStream,
  meter: RateMeter,
  flags: Flags,
  writer: FrameWriter | undefined,
  output: Output,
  watch: InterruptWatch,
): Promise<void> {
  const started = performance.now()
  let lastFrame = started
  const stop = () => void frames.close()
  watch.signal.addEventListener('abort', stop, { once: true })
  using progress = new Progress(output, () => progressState(frames, meter, flags, started))
  const silence = setInterval(() => {
    if (performance.now() - lastFrame < SILENCE_MS) return
    lastFrame = Number.POSITIVE_INFINITY // told once for each silence
    output.warn(`no frame for ${SILENCE_MS / 1000} s`, silenceHint(frames))
  }, 500)
  silence.unref()
  let duration: NodeJS.Timeout | undefined
  try {
    await frames.start()
    output.note(`packet size ${describePacketSize(frames.packetSize)}`)
    if (flags.duration !== undefined) duration = setTimeout(stop, flags.duration * 1000)
    progress.start()
    for await (using frame of frames) {
      lastFrame = performance.now()
      meter.add(frame.hostTimeNs, frame.data.length)
      if (writer) await writer.write(frame)
    }
    progress.finish()
  } catch (error) {
    // Closing a stream that is still starting ends it with an error: here it was meant.
    if (!watch.signal.aborted) throw error
  } finally {
    clearInterval(silence)
    clearTimeout(duration)
    watch.signal.removeEventListener('abort', stop)
  }
}

function progressState(frames: FrameStream, meter: RateMeter, flags: Flags, started: number): ProgressState {
  const stats = frames.stats()
  const lost = stats.packetsMissing
  const dropped = stats.blocksIncomplete + stats.blocksNoSlot + stats.blocksMissed
  const text = [
    `${meter.frames}${flags.frames === undefined ? '' : `/${flags.frames}`} frames`,
    `${meter.framesPerSecond.toFixed(1)} fps`,
    `${(meter.megabytesPerSecond * 8).toFixed(0)} Mbit/s`,
    `${stats.packetsResent} resent`,
    `${lost} packets and ${dropped} frames lost`,
  ].join('  ')
  if (flags.frames !== undefined) return { fraction: meter.frames / flags.frames, text }
  if (flags.duration === undefined) return { fraction: undefined, text }
  return { fraction: (performance.now() - started) / 1000 / flags.duration, text }
}

function silenceHint(frames: FrameStream): string {
  const stats = frames.stats()
  if (stats.datagrams === 0) {
    return 'Not one packet arrived. Is the camera waiting for a trigger (TriggerMode)? Does a firewall drop UDP from it?'
  }
  if (stats.blocksNoSlot > 0) return 'No slot is free: frames are not released.'
  return `Packets arrive (${stats.datagrams}), but no frame gets complete: ${stats.packetsMissing} of them are missing.`
}

function nothingCame(frames: FrameStream): GigeError {
  return new GigeError('ERR_GIGE_TIMEOUT', 'No frame was received', { hint: silenceHint(frames) })
}
