// Options of a stream on the command line: the same for `stream` and `grab`.

import { type Command, Option } from 'commander'
import type { StreamOptions } from '../types.js'
import {
  type Assignment,
  choice,
  collectAssignments,
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
  streamPort?: number | [number, number]
  streamDestination?: string
  multicast?: string
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
        'auto, copy, scatter, aggregate, packet-ring or xdp: how packets are taken in',
      ).argParser(choice('auto', 'copy', 'scatter', 'aggregate', 'packet-ring', 'xdp')),
    )
    .option('--coalesce <ms>', 'let packets gather for so long, 0 to 10 (default 0.25)', Number)
    .option('--stream-port <port>', 'receive on this port, or range like 5000-5010', portRange)
    .option('--stream-destination <address>', 'where the camera sends to, behind NAT or in a container')
    .option('--multicast <group>', 'send to, or with --access monitor listen to, this group')
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
    ...(flags.streamPort !== undefined && { streamPort: flags.streamPort }),
    ...(flags.streamDestination !== undefined && { streamDestination: flags.streamDestination }),
    ...(flags.multicast !== undefined && { multicast: flags.multicast }),
  }
}
