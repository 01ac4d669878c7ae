// Colours for a terminal, and for nothing else: NO_COLOR, FORCE_COLOR and TERM=dumb are obeyed as Node does.

import type { WriteStream } from 'node:tty'
import { styleText } from 'node:util'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

export class Styler {
  readonly enabled: boolean

  constructor(stream: NodeJS.WritableStream) {
    const forced = process.env.FORCE_COLOR
    const tty = stream as WriteStream
    if (process.env.NO_COLOR) this.enabled = false
    else if (forced !== undefined) this.enabled = forced !== '0' && forced !== 'false'
    else this.enabled = tty.isTTY === true && tty.hasColors()
  }

  paint(style: Style, text: string): string {
    // `stream` of styleText came later than Node 20.19; whether to paint is decided here.
    return this.enabled ? styleText(style, text, { validateStream: false }) : text
  }
}
