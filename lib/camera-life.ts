// Whether a camera can still be asked. Purpose: once it is lost or closed, every call ends in the error that says so, that for a
// remembered value of a feature as well. Owner: the camera.

import { GigeError, hintFor } from './errors.js'

export class CameraLife {
  private loss: { reason: string; message: string } | undefined
  private ended = false
  /** Told once, by lose(). */
  onLost: (reason: string, message: string) => void = () => {}

  constructor(private readonly address: string) {}

  lose(reason: string, message: string): void {
    this.loss = { reason, message }
    this.onLost(reason, message)
  }

  end(): void {
    this.ended = true
  }

  /** A new one each time: whoever gets it may add to it. */
  get lostError(): GigeError | undefined {
    if (!this.loss) return undefined
    const { reason, message } = this.loss
    return new GigeError('ERR_GIGE_CONTROL_LOST', `Camera ${this.address} is lost: ${message}`, {
      hint: hintFor('ERR_GIGE_CONTROL_LOST'),
      details: { reason },
    })
  }

  assertUsable(): void {
    const lost = this.lostError
    if (lost) throw lost
    if (this.ended) throw this.closedError
  }

  get closedError(): GigeError {
    return new GigeError('ERR_GIGE_CLOSED', `Camera ${this.address} is closed`, {
      hint: hintFor('ERR_GIGE_CLOSED'),
    })
  }

  async call<T>(work: () => Promise<T>): Promise<T> {
    this.assertUsable()
    try {
      return await work()
    } catch (error) {
      throw this.lostError ?? error
    }
  }
}
