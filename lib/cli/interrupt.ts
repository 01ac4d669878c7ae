// Ctrl-C and SIGTERM: the first asks for an orderly end, the second ends at once. Exit codes: a run that would have ended by
// itself and was cut short exits with 128 + signal (130, 143), as shells expect; a run that only a signal can end
// (simulate, list --watch, stream without --frames and --duration) was done, and exits with 0.

import os from 'node:os'

/** Ends a command without an error message. */
export class Interrupted extends Error {
  constructor(readonly signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`)
    this.name = 'Interrupted'
  }

  get exitCode(): number {
    return exitCodeOf(this.signal)
  }
}

function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + os.constants.signals[signal]
}

export class InterruptWatch implements Disposable {
  private readonly controller = new AbortController()
  private caught: NodeJS.Signals | undefined

  constructor() {
    process.on('SIGINT', this.onSignal)
    process.on('SIGTERM', this.onSignal)
  }

  /** Aborts with an Interrupted as its reason. */
  get signal(): AbortSignal {
    return this.controller.signal
  }

  /** The signal that came, if one did. */
  get by(): NodeJS.Signals | undefined {
    return this.caught
  }

  [Symbol.dispose](): void {
    process.off('SIGINT', this.onSignal)
    process.off('SIGTERM', this.onSignal)
  }

  private readonly onSignal = (signal: NodeJS.Signals): void => {
    if (this.caught) process.exit(exitCodeOf(signal))
    this.caught = signal
    this.controller.abort(new Interrupted(signal))
  }
}

/** Until the signal aborts; keeps the process alive, which signal handlers alone do not. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const alive = setInterval(() => {}, 1 << 30)
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  clearInterval(alive)
}
