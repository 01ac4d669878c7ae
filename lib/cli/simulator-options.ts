// Options of simulated cameras: all of them for `simulate`, those that shape the picture and its faults for the commands
// that can bring a camera of their own (--sim).

import { type Command, Option } from 'commander'
import type { SimulatorFaults, SimulatorOptions } from '../simulator.js'
import { bigNumber, choice, number, wholeNumber } from './arguments.js'
import { collectFaults } from './fault-options.js'

const PATTERNS = ['Checkable', 'TestCard', 'GreyHorizontalRampMoving', 'Black', 'White'] as const

export interface PictureOptions {
  width?: number
  height?: number
  pixelFormat?: string
  frameRate?: number
  pattern?: (typeof PATTERNS)[number]
  seed?: bigint
  lineRate?: number
  fault?: SimulatorFaults
}

/** The attribute names that commander gives these options. */
export const PICTURE_OPTIONS: readonly (keyof PictureOptions)[] = [
  'width',
  'height',
  'pixelFormat',
  'frameRate',
  'pattern',
  'seed',
  'lineRate',
  'fault',
]

export function addPictureOptions(command: Command, heading: string): Command {
  const options = [
    new Option('--width <pixels>', 'image width (1936)').argParser(wholeNumber(1, 65535)),
    new Option('--height <pixels>', 'image height (1216)').argParser(wholeNumber(1, 65535)),
    new Option('--pixel-format <name>', 'PFNC name: Mono8, Mono12p, BayerRG8, RGB8, ... (Mono8)'),
    new Option('--frame-rate <fps>', 'frames per second (30); 0 = as fast as it can').argParser(
      number(0, 1e6),
    ),
    new Option('--pattern <name>', `${PATTERNS.join(', ')}`).argParser(choice(...PATTERNS)),
    new Option('--seed <number>', 'of the pattern and of the faults (1)').argParser(bigNumber),
    new Option('--line-rate <mbit/s>', 'pace packets inside a frame like a link of that speed').argParser(
      number(0),
    ),
    new Option('--fault <key=value>', 'repeatable; keys: gigewire simulate --help').argParser(collectFaults),
  ]
  for (const option of options) command.addOption(option.helpGroup(heading))
  return command
}

export function pictureOptions(options: PictureOptions): SimulatorOptions {
  return {
    ...(options.width !== undefined && { width: options.width }),
    ...(options.height !== undefined && { height: options.height }),
    ...(options.pixelFormat !== undefined && { pixelFormat: options.pixelFormat }),
    ...(options.frameRate !== undefined && { frameRate: options.frameRate }),
    ...(options.pattern !== undefined && { testPattern: options.pattern }),
    ...(options.seed !== undefined && { seed: options.seed }),
    ...(options.lineRate !== undefined && { lineRateBps: Math.round(options.lineRate * 1e6) }),
    ...(options.fault !== undefined && { faults: options.fault }),
  }
}
