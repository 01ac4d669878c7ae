#!/usr/bin/env node
// The executable `gigewire`: runs the command line and sets the exit code. Exit codes: 0 done, 1 failed, 2 wrong usage,
// 130 and 143 where SIGINT or SIGTERM cut short something that would have ended by itself (see interrupt.ts).

import { Output, reportError } from './output.js'

// `gigewire features ... | head`: the reader has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

const args = process.argv.slice(2)
try {
  // Loaded here, so that a machine without a fitting binary gets an error message instead of a stack trace.
  const { run } = await import('./program.js')
  process.exitCode = await run(args)
} catch (error) {
  reportError(new Output({ json: args.includes('--json') }), error)
  process.exitCode = 1
}
