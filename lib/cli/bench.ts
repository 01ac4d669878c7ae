// `gigewire bench`: measurements. With --camera, of a real camera and of the way its frames take.

import type { Command } from 'commander'
import { addBenchCameraOptions, type BenchCameraFlags, benchCamera } from './bench-camera.js'
import type { Output } from './output.js'

export function addBench(program: Command, output: Output): void {
  const command = program.command('bench').description('measure a camera and the way its frames take')
  addBenchCameraOptions(command)
  command.action(async (flags: BenchCameraFlags) => {
    if (flags.camera === undefined)
      command.error('error: name a camera with --camera', { code: 'gigewire.usage', exitCode: 2 })
    else await benchCamera(flags.camera, flags, output)
  })
}
