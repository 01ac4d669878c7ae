// The camera a command works on: a real one by its name, or with --sim one that is started for the command. Purpose: every
// command finds, opens and closes in the same way, also when it fails half-way.

import { type Command, Option } from 'commander'
import { openCamera } from '../camera.js'
import { discover } from '../discovery.js'
import { GigeError } from '../errors.js'
import { type Simulator, startSimulator } from '../simulator.js'
import type { Camera, CameraInfo, DiscoveryWarning, OpenOptions } from '../types.js'
import { choice, wholeNumber } from './arguments.js'
import type { Output } from './output.js'
import {
  addPictureOptions,
  PICTURE_OPTIONS,
  type PictureOptions,
  pictureOptions,
} from './simulator-options.js'
import { printable } from './table.js'

export interface OpenFlags {
  interface?: string
  discoverTimeout?: number
}

export function addOpenOptions(command: Command): Command {
  return command
    .option('--interface <name>', 'network interface (name or address) to reach the camera through')
    .option('--discover-timeout <ms>', 'how long to look for it by name (2000)', wholeNumber(1, 600_000))
}

export interface SessionFlags extends OpenFlags, PictureOptions {
  sim?: boolean
  access?: 'control' | 'exclusive' | 'monitor'
}

export function addSessionOptions(command: Command): Command {
  addOpenOptions(command)
  command.addOption(
    new Option('--access <kind>', 'control, exclusive, or monitor (with --multicast: listen only)').argParser(
      choice('control', 'exclusive', 'monitor'),
    ),
  )
  command.addOption(
    new Option('--sim', 'start a simulated camera and use that').helpGroup('Simulated camera:'),
  )
  return addPictureOptions(command, 'Simulated camera:')
}

export function openOptions(flags: SessionFlags, signal?: AbortSignal): OpenOptions {
  return {
    ...(flags.access && { access: flags.access }),
    ...(flags.interface !== undefined && { interface: flags.interface }),
    ...(flags.discoverTimeout !== undefined && { discoverTimeout: flags.discoverTimeout }),
    ...(signal && { signal }),
  }
}

/** Wrong usage of the pair <camera> and --sim. */
export function checkTarget(command: Command, target: string | undefined, flags: SessionFlags): void {
  const fail = (message: string): never =>
    command.error(`error: ${message}`, { code: 'gigewire.usage', exitCode: 2 })
  if (target === undefined && !flags.sim) fail('name a camera, or give --sim for a simulated one')
  if (target !== undefined && flags.sim) fail(`--sim brings its own camera; leave out '${target}'`)
  if (flags.sim) return
  const stray = PICTURE_OPTIONS.find((name) => flags[name] !== undefined)
  if (stray !== undefined) {
    const option = command.options.find((one) => one.attributeName() === stray)?.long
    fail(`${option} belongs to --sim; a camera's own settings are changed with --set Name=value`)
  }
}

/** An opened camera, and the simulator behind it where there is one. */
export class CameraSession implements AsyncDisposable {
  private constructor(
    readonly camera: Camera,
    readonly simulator: Simulator | undefined,
    /** ms that finding it took. */
    readonly found: number,
  ) {}

  static async open(
    target: string | undefined,
    flags: SessionFlags,
    output: Output,
    signal?: AbortSignal,
  ): Promise<CameraSession> {
    const started = performance.now()
    if (target !== undefined && !flags.sim) {
      const camera = await openCamera(target, openOptions(flags, signal))
      return new CameraSession(camera, undefined, performance.now() - started)
    }
    const simulator = await startOwnSimulator(flags)
    try {
      output.note(`simulator   ${simulator.serial} started at ${simulator.address}`)
      const searching = performance.now()
      const info = await discoverSimulator(simulator, signal)
      const found = performance.now() - searching
      const camera = await openCamera(info, openOptions(flags, signal))
      return new CameraSession(camera, simulator, found)
    } catch (error) {
      await simulator.stop()
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.camera.close()
    await this.simulator?.stop()
  }
}

/** On the first loopback address where no other simulated camera lives. */
async function startOwnSimulator(flags: PictureOptions): Promise<Simulator> {
  const serial = `GW-SIM-${process.pid}`
  for (let last = 1; ; last++) {
    try {
      return await startSimulator({ ...pictureOptions(flags), address: `127.0.0.${last}`, serial })
    } catch (error) {
      const taken = error instanceof GigeError && error.code === 'ERR_GIGE_NETWORK' && last < 8
      if (!taken) throw error
    }
  }
}

async function discoverSimulator(simulator: Simulator, signal?: AbortSignal): Promise<CameraInfo> {
  const ours = (camera: CameraInfo) => camera.serial === simulator.serial && camera.reachable
  const warnings: DiscoveryWarning[] = []
  const found = await discover({
    addresses: [simulator.address],
    until: (all) => all.some(ours),
    onWarning: (warning) => warnings.push(warning),
    ...(signal && { signal }),
  })
  const info = found.find(ours)
  if (info) return info
  throw new GigeError(
    'ERR_GIGE_NOT_FOUND',
    `The simulated camera at ${simulator.address} was not discovered`,
    {
      hint: 'A firewall of this machine may drop UDP port 3956 even on the loopback interface.',
      details: { found, warnings },
    },
  )
}

/** One line for people. */
export function describeCamera(info: CameraInfo): string {
  const name = [info.manufacturer, info.model, info.serial || info.mac].map(printable).join(' ')
  return `${name} at ${info.address} on ${info.interface.name || 'an unknown interface'} (MTU ${info.interface.mtu})`
}

/** Opens for a short look or a change, and closes again. */
export async function withCamera<T>(
  target: string,
  flags: OpenFlags,
  access: 'control' | 'monitor',
  work: (camera: Camera) => Promise<T>,
): Promise<T> {
  const camera = await openCamera(target, openOptions({ ...flags, access }))
  try {
    return await work(camera)
  } finally {
    await camera.close()
  }
}
