// The error type of the package. Every failure is a GigeError with a constant code, a hint that says what
// to do next, and, where one error led to another, its cause. The class is handed to native code once, so
// `instanceof` holds for errors that were born there.

export type GigeErrorCode =
  | 'ERR_GIGE_NOT_FOUND'
  | 'ERR_GIGE_TIMEOUT'
  | 'ERR_GIGE_ACCESS_DENIED'
  | 'ERR_GIGE_CONTROL_LOST'
  | 'ERR_GIGE_STATUS'
  | 'ERR_GIGE_PACKET_SIZE_NEGOTIATION'
  | 'ERR_GIGE_FRAME_RELEASED'
  | 'ERR_GIGE_FEATURE'
  | 'ERR_GIGE_INVALID_ARGUMENT'
  | 'ERR_GIGE_CLOSED'
  | 'ERR_GIGE_HOST_CRASHED'
  | 'ERR_GIGE_NETWORK'
  | 'ERR_GIGE_DESCRIPTION'
  | 'ERR_GIGE_NATIVE'

export interface GigeErrorOptions {
  hint?: string
  cause?: unknown
  /** Further facts, copied onto the error: `status`, `address`, `tried`, `errno`, `feature`, ... */
  details?: Record<string, unknown>
}

export class GigeError extends Error {
  readonly code: GigeErrorCode
  readonly hint: string;
  [detail: string]: unknown

  constructor(code: GigeErrorCode, message: string, options: GigeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'GigeError'
    this.code = code
    this.hint = options.hint ?? ''
    if (options.details) Object.assign(this, options.details)
  }
}

const HINTS: Partial<Record<GigeErrorCode, string>> = {
  ERR_GIGE_NOT_FOUND:
    'Run `npx gigewire list` to see what answers. A camera in another subnet is listed with the reason; one behind a router or a firewall that drops broadcast answers is found when its address is given.',
  ERR_GIGE_TIMEOUT:
    'Check power, cable and address; `npx gigewire list` shows which cameras answer. A firewall on the way may drop UDP port 3956.',
  ERR_GIGE_ACCESS_DENIED:
    "Another application controls the camera. Close it, wait for its heartbeat to expire (3 s by default), or open with { access: 'monitor' }.",
  ERR_GIGE_CONTROL_LOST:
    'The camera rebooted, was unplugged, or another application took it. Open it again with openCamera().',
  ERR_GIGE_NETWORK: 'The operating system refused; the message says why. Is the network interface up?',
  ERR_GIGE_CLOSED: 'The object was closed before or during the call.',
  ERR_GIGE_STATUS: 'The camera refused the access; `statusName` says why.',
  ERR_GIGE_NATIVE:
    'The operating system gives this process no more threads or memory; `errno` says why. Raise the limit of its user or container (`ulimit -u`, pids.max), or close what is not used.',
}

/** What to do next, for errors that were born in native code. */
export function hintFor(code: GigeErrorCode): string {
  return HINTS[code] ?? ''
}

/** Rejects what a caller got wrong, in one voice. */
export function invalidArgument(message: string, hint = ''): GigeError {
  return new GigeError('ERR_GIGE_INVALID_ARGUMENT', message, { hint })
}
