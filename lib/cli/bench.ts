// `gigewire bench`: measurements. With --camera, of a real camera and of the way its frames take; else of what this machine receives,
// with simulated cameras.

import type { Command } from 'commander'
import { addBenchCameraOptions, type BenchCameraFlags, benchCamera } from './bench-camera.js'
import { addBenchMachineOptions, type BenchMachineFlags, benchMachine } from './bench-machine.js'
import type { Output } from './output.js'

export function addBench(program: Command, output: Output): void {
  const command = program
    .command('bench')
    .description('measure what this machine receives, or a camera and the way its frames take')
  addBenchMachineOptions(command)
  command.optionsGroup('With a camera:')
  addBenchCameraOptions(command)
  command.action(async (flags: BenchCameraFlags & BenchMachineFlags) => {
    if (flags.camera === undefined) await benchMachine(flags, output)
    else await benchCamera(flags.camera, flags, output)
  })
}
