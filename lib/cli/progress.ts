// The line that moves while a stream runs. On a terminal it is redrawn in place; elsewhere (a log file, CI) a plain line is
// printed every few seconds, so that neither is spoilt by the other's manners. Always on stderr.

import { stripVTControlCharacters } from 'node:util'
import type { Output } from './output.js'

const BAR = 24
const REDRAW_MS = 100
const PLAIN_MS = 2000

export interface ProgressState {
  /** 0..1, or undefined for a run without an end. */
  fraction: number | undefined
  text: string
}

export class Progress implements Disposable {
  private timer: NodeJS.Timeout | undefined
  private drawn = false
  private readonly terminal = process.stderr.isTTY === true && process.env.TERM !== 'dumb'

  constructor(
    private readonly output: Output,
    private readonly state: () => ProgressState,
  ) {}

  start(): void {
    if (this.output.json) return
    this.output.beforeNote = () => this.clear()
    this.timer = setInterval(() => this.show(), this.terminal ? REDRAW_MS : PLAIN_MS)
    this.timer.unref()
    if (this.terminal) this.show()
  }

  /** Leaves the last state standing: full on success. */
  finish(): void {
    if (!this.timer) return
    this.show()
    this.stop()
    if (this.terminal) process.stderr.write('\n')
  }

  [Symbol.dispose](): void {
    if (!this.timer) return
    this.stop()
    this.clear()
  }

  private stop(): void {
    clearInterval(this.timer)
    this.timer = undefined
    this.output.beforeNote = () => {}
  }

  private clear(): void {
    if (!this.drawn) return
    this.drawn = false
    process.stderr.write('\r\u001b[2K')
  }

  private show(): void {
    const { fraction, text } = this.state()
    if (!this.terminal) {
      process.stderr.write(
        `${fraction === undefined ? '' : `${percent(fraction)}  `}${stripVTControlCharacters(text)}\n`,
      )
      return
    }
    const line = `${fraction === undefined ? '' : `${this.bar(fraction)} ${percent(fraction)}  `}${text}`
    this.clear()
    process.stderr.write(cutTo(line, (process.stderr.columns || 80) - 1))
    this.drawn = true
  }

  private bar(fraction: number): string {
    const full = Math.min(BAR, Math.floor(fraction * BAR))
    const style = this.output.errorStyle
    return style.paint('green', '\u2588'.repeat(full)) + style.paint('dim', '\u2591'.repeat(BAR - full))
  }
}

function percent(fraction: number): string {
  return `${Math.floor(Math.min(1, fraction) * 100)}%`.padStart(4)
}

/** A line that wraps cannot be redrawn: cut it, colours and all. */
function cutTo(line: string, width: number): string {
  const plain = stripVTControlCharacters(line)
  return plain.length <= width ? line : plain.slice(0, width)
}
