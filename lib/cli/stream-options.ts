// Options of a stream on the command line: the same for `stream` and `grab`.

import { type Command, Option } from 'commander'
import type { StreamOptions, StreamTuning } from '../types.js'
import {
  type Assignment,
  choice,
  collectAssignments,
  cpuList,
  nameList,
  packetSize,
  portRange,
  wholeNumber,
} from './arguments.js'

export interface StreamFlags {
  buffers?: number
  packetSize?: number | 'auto'
  resend?: boolean
  bufferHandling?: NonNullable<StreamOptions['bufferHandling']>
  receiveBuffer?: number
  engine?: NonNullable<StreamOptions['engine']>
  coalesce?: number
  threads?: NonNullable<StreamOptions['threads']>
  priority?: number
  cpu?: number[]
  busyPoll?: number
  hugePages?: boolean
  streamPort?: number | [number, number]
  streamDestination?: string
  multicast?: string
  chunks?: true | string[]
  set?: Assignment[]
}

export function addStreamOptions(command: Command): Command {
  return command
    .option('--set <Name=value>', 'set a feature first; repeatable', collectAssignments)
    .option('--buffers <count>', 'frame slots (stream 8, grab 2)', wholeNumber(1, 4096))
    .option('--packet-size <bytes>', "a fixed size instead of 'auto' (negotiated)", packetSize)
    .option('--resend', 'ask for lost packets again (default where the camera can)')
    .option('--no-resend', 'never ask')
    .addOption(
      new Option('--buffer-handling <mode>', 'OldestFirst, OldestFirstOverwrite or NewestOnly').argParser(
        choice('OldestFirst', 'OldestFirstOverwrite', 'NewestOnly'),
      ),
    )
    .option('--receive-buffer <bytes>', 'queue of the stream socket', wholeNumber(4096, 0x7fff_ffff))
    .addOption(
      new Option(
        '--engine <name>',
        'auto, copy, scatter, aggregate, packet-ring, xdp or registered: how packets are taken in',
      ).argParser(choice('auto', 'copy', 'scatter', 'aggregate', 'packet-ring', 'xdp', 'registered')),
    )
    .option('--coalesce <ms>', 'let packets gather for so long, 0 to 10 (default 0.25)', Number)
    .addOption(
      new Option('--threads <which>', "own or shared: the receive thread's streams").argParser(
        choice('own', 'shared'),
      ),
    )
    .option('--priority <number>', 'of the receive thread: 1 to 99 real time, -20 to -1 niceness', Number)
    .option('--cpu <numbers>', 'where it may run, like 2 or 2,3', cpuList)
    .option('--busy-poll <us>', 'let it poll the NIC for so long before it sleeps', wholeNumber(1, 1000))
    .option('--huge-pages', 'frame memory in huge pages')
    .option('--stream-port <port>', 'receive on this port, or range like 5000-5010', portRange)
    .option('--stream-destination <address>', 'where the camera sends to, behind NAT or in a container')
    .option('--chunks [names]', 'let frames carry values, all or some: FrameID,Timestamp', nameList)
    .option('--multicast <group>', 'send to, or with --access monitor listen to, this group')
}

function tuning({ priority, cpu, busyPoll, hugePages }: StreamFlags): StreamTuning {
  return {
    ...(priority !== undefined && { priority }),
    ...(cpu !== undefined && { cpu }),
    ...(busyPoll !== undefined && { busyPoll }),
    ...(hugePages !== undefined && { hugePages }),
  }
}

export function streamOptions(flags: StreamFlags): StreamOptions {
  return {
    ...(flags.buffers !== undefined && { buffers: flags.buffers }),
    ...(flags.packetSize !== undefined && { packetSize: flags.packetSize }),
    ...(flags.resend === false && { resend: false }),
    ...(flags.bufferHandling && { bufferHandling: flags.bufferHandling }),
    ...(flags.receiveBuffer !== undefined && { receiveBufferBytes: flags.receiveBuffer }),
    ...(flags.engine && { engine: flags.engine }),
    ...(flags.coalesce !== undefined && { coalesce: flags.coalesce }),
    ...(flags.threads && { threads: flags.threads }),
    tuning: tuning(flags),
    ...(flags.streamPort !== undefined && { streamPort: flags.streamPort }),
    ...(flags.streamDestination !== undefined && { streamDestination: flags.streamDestination }),
    ...(flags.multicast !== undefined && { multicast: flags.multicast }),
    ...(flags.chunks !== undefined && { chunks: flags.chunks }),
  }
}
