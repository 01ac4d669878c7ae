// A process of the benchmark and its conversation: it prints one line of JSON as soon as it is ready, and one for each line that it
// is given ({"do": "measure"}, {"do": "stop"}, ...). Plain lines, so that programs in any language can take part. Owner: whoever
// started it; it ends when its input does, so that none outlives the benchmark.

import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { GigeError } from '../errors.js'

const ANSWER_MS = 30_000
const KEPT_STDERR = 2000

export class LineProcess implements AsyncDisposable {
  private readonly child: ChildProcess
  private readonly lines: string[] = []
  private readonly ended: Promise<void>
  private notify: () => void = () => {}
  private stderr = ''
  private over = false

  constructor(
    readonly name: string,
    command: string[],
  ) {
    this.child = spawn(command[0]!, command.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] })
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      this.lines.push(line)
      this.notify()
    })
    this.child.stderr!.on('data', (text: Buffer) => {
      this.stderr = (this.stderr + text.toString()).slice(-KEPT_STDERR)
    })
    this.child.stdin!.on('error', () => {}) // it ended: the missing answer says so
    this.ended = new Promise((resolve) => {
      const end = () => {
        this.over = true
        this.notify()
        resolve()
      }
      this.child.once('error', (error) => {
        this.stderr += error.message
        end()
      })
      this.child.once('close', end)
    })
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  /** The next line it prints, as an object. */
  async answer<T>(): Promise<T> {
    const timeout = setTimeout(() => this.child.kill('SIGKILL'), ANSWER_MS)
    try {
      while (this.lines.length === 0) {
        if (this.over) throw this.failure('ended without an answer')
        await new Promise<void>((resolve) => {
          this.notify = resolve
        })
      }
    } finally {
      clearTimeout(timeout)
    }
    const line = this.lines.shift()!
    let value: T & { error?: { message: string; hint?: string } }
    try {
      value = JSON.parse(line)
    } catch {
      throw this.failure(`printed what is not JSON: ${line.slice(0, 200)}`)
    }
    if (value.error) throw this.failure(value.error.message, value.error.hint)
    return value
  }

  async ask<T>(what: string, more: object = {}): Promise<T> {
    this.child.stdin!.write(`${JSON.stringify({ do: what, ...more })}\n`)
    return await this.answer<T>()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.stdin!.end()
    const timeout = setTimeout(() => this.child.kill('SIGKILL'), 5000)
    await this.ended
    clearTimeout(timeout)
  }

  private failure(what: string, hint?: string): GigeError {
    const said = this.stderr.trim()
    return new GigeError('ERR_GIGE_NATIVE', `The benchmark's ${this.name} ${what}${said && `: ${said}`}`, {
      hint: hint ?? '',
    })
  }
}
