// The engines below the IP stack, as a user sees them: what they need and who gives it, and what they cost others.

import { GigeError } from './errors.js'
import type { StreamEngine, StreamWarning } from './types.js'

export type LinkEngine = Extract<StreamEngine, 'packet-ring' | 'xdp'>

/** Linux errno values: this file speaks of Linux only. */
const EPERM = 1
const E2BIG = 7
const EACCES = 13
const EBUSY = 16
const EMSGSIZE = 90
const EOPNOTSUPP = 95
const EAFNOSUPPORT = 97
const ENOBUFS = 105

const CAPABILITIES: Record<LinkEngine, string> = {
  'packet-ring': 'cap_net_raw',
  xdp: 'cap_net_admin,cap_net_raw,cap_bpf',
}
const KERNEL_OPTION: Record<LinkEngine, string> = {
  'packet-ring': 'CONFIG_PACKET',
  xdp: 'CONFIG_XDP_SOCKETS',
}

const REMEDIES: Record<number, string> = {
  [E2BIG]: 'Give the interface fewer queues: sudo ethtool -L <interface> combined 1,',
  [EBUSY]:
    "An interface has room for one XDP program, that is for one stream (`ip -d link` shows it): take 'packet-ring',",
  [EMSGSIZE]: 'Ask for a smaller packetSize (larger ones need Linux 6.6 and a driver that can),',
  [EOPNOTSUPP]: 'Use an interface of a real or virtual cable,',
  [ENOBUFS]:
    'Allow more locked memory (ulimit -l, LimitMEMLOCK=) or CAP_IPC_LOCK, ask for less with receiveBufferBytes,',
}

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
    return `This kernel was built without it (${KERNEL_OPTION[engine]}); another kernel, ${other}`
  return `${REMEDIES[errno as number] ?? '`errno` says why. Try another network interface,'} ${other}`
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

const FRAGMENTS_COST: Record<LinkEngine, string> = {
  'packet-ring': 'which the packet ring does not put together: each of them is lost',
  xdp: 'which take the slow way through the IP stack and the stream socket instead of XDP',
}

export function fragmentsWarning(engine: LinkEngine, packetSize: number): StreamWarning {
  return {
    code: 'fragments',
    message: `Packets of ${packetSize} bytes arrive in IP fragments, ${FRAGMENTS_COST[engine]}`,
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
