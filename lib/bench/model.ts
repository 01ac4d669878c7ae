// What a benchmark is made of, as data: where packets travel, what is sent, who receives, and what one run tells.

import type { SimulatorFaults } from '../simulator.js'
import type { StreamOptions } from '../types.js'

/**
 * loopback: the sender's segmented sends reach the receiving socket whole, so that the kernel can hand many packets over at once.
 * cable: a pair of virtual network interfaces between two private networks; every packet crosses it by itself.
 */
export type Place = 'loopback' | 'cable'

/** evenly: one packet after the other; bursts: so many as a NIC hands on per interrupt; unpaced: as fast as the sender can. */
export type Pacing = 'evenly' | 'bursts' | 'unpaced'

export interface Load {
  place: Place
  packetSize: number
  width: number
  height: number
  pacing: Pacing
  /** Gbit/s of all cameras together, counted in bytes of IP packets. */
  gigabits?: number
  /** Instead of a rate of bits: frames per second, each frame one burst. */
  frameRate?: number
  /** false: UDP checksum 0, as many cameras send; the kernel then never puts packets together. Default true. */
  checksum?: boolean
  cameras?: number
  faults?: SimulatorFaults
  /** false: the sender sleeps between bursts instead of spinning, so that its CPU time means something. Default true. */
  spin?: boolean
}

/** This package as the receiver. */
export interface OwnReceiver {
  kind: 'gigewire'
  name: string
  stream?: Omit<StreamOptions, 'signal'>
  /** Milliseconds for which the event loop is blocked, once, in the middle of the measurement. */
  stall?: number
}

/** Another program, which prints and obeys lines as lib/bench/line-process.ts says. */
export interface PeerReceiver {
  kind: 'peer'
  name: string
  command: string[]
  /** It opens the camera itself; else the harness points the camera at the port it names. */
  opensCamera: boolean
  /** It needs CAP_NET_RAW: it keeps the privileges of who runs the benchmark. */
  privileged?: boolean
}

export type Receiver = OwnReceiver | PeerReceiver

/** Times in microseconds from the last packet's sending to the reader of the frame. */
export interface Latency {
  p50: number
  p99: number
  p999: number
  frames: number
}

/** One run: what happened between the two moments at which the receiver looked at its counters. */
export interface Run {
  seconds: number
  packets: number
  frames: number
  /** Packets that did not arrive, or for which there was no room. */
  lost: number
  /** Frames that were not complete, or not there at all. */
  framesLost: number
  /** CPU of the whole receiving process, user and system, nanoseconds. */
  cpuNs: number
  /** Of its receiving threads alone. */
  threadNs: number
  /** Of the thread that runs JavaScript, or takes frames from a library. */
  mainNs: number
  /** CPU of the sending process. */
  senderNs: number
  /** Gbit/s of IP packets that left the sender and that arrived. */
  sent: number
  arrived: number
  latency?: Latency
  engine?: string
  packetsPerRead?: number
  packetsResent?: number
  /** Bytes by which ArrayBuffers and other memory outside of the heap grew. */
  grown?: number
}
