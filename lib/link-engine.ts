// The engines below the IP stack, as a user sees them: what they need and who gives it, and what they cost others.

import { GigeError } from './errors.js'
import type { StreamEngine, StreamWarning } from './types.js'

export type LinkEngine = Extract<StreamEngine, 'packet-ring'>

/** Linux errno values: this file speaks of Linux only. */
const EPERM = 1
const EACCES = 13
const EAFNOSUPPORT = 97

const CAPABILITIES: Record<LinkEngine, string> = { 'packet-ring': 'cap_net_raw' }

export function isLinkEngine(engine: string | undefined): engine is LinkEngine {
  return engine !== undefined && Object.hasOwn(CAPABILITIES, engine)
}

function hintFor(engine: LinkEngine, errno: unknown): string {
  const other = "or leave the engine to the stream (engine: 'auto'), which needs no privilege."
  if (errno === EPERM || errno === EACCES) {
    const names = CAPABILITIES[engine]
    const flags = names.split(',').map((name) => `--cap-add=${name.slice('cap_'.length).toUpperCase()}`)
    return (
      `It needs ${names.toUpperCase().replaceAll(',', ', ')}: sudo setcap ${names}+ep ${process.execPath} ` +
      `(in a container: ${flags.join(' ')}), ${other}`
    )
  }
  if (errno === EAFNOSUPPORT)
    return `This kernel was built without it (CONFIG_PACKET); another kernel, ${other}`
  return `\`errno\` says why. Try another network interface, ${other}`
}

/** What to do about an engine that could not be had; other errors stay as they are. */
export function explainEngine(error: unknown, engine: LinkEngine): unknown {
  if (!(error instanceof GigeError) || error.code !== 'ERR_GIGE_NETWORK') return error
  return new GigeError(error.code, `No engine '${engine}' here: ${error.message}`, {
    hint: hintFor(engine, error.errno),
    cause: error,
    details: { errno: error.errno, engine },
  })
}

export function fragmentsWarning(packetSize: number): StreamWarning {
  return {
    code: 'fragments',
    message: `Packets of ${packetSize} bytes arrive in IP fragments, which the packet ring does not put together: each of them is lost`,
    hint: "Make packetSize no larger than the smallest MTU on the way; packetSize: 'auto' finds it.",
  }
}

export function bypassWarning(engine: LinkEngine, cameraAddress: string, port: number): StreamWarning {
  return {
    code: 'firewall-bypassed',
    message: `A firewall or routing filter of this machine drops the stream; engine '${engine}' sees it all the same, and any other receiver here would get nothing`,
    hint: `Allow UDP from ${cameraAddress} to port ${port} (nftables: ip saddr ${cameraAddress} udp dport ${port} accept), or know that only this engine works here.`,
  }
}

export function ringWarning(wanted: number, granted: number): StreamWarning {
  return {
    code: 'receive-buffer',
    message: `The kernel grants a ring of ${granted} bytes instead of ${wanted}; a receive thread kept waiting for longer loses packets`,
    hint: 'Its memory is short, or in pieces: close what is not used, or ask for less with receiveBufferBytes.',
  }
}
