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
  /** Unique within its section. */
  name: string
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
  /** Its engine needs CAP_NET_RAW: it keeps the privileges of who runs the benchmark. */
  privileged?: boolean
}

/** Another program, which prints and obeys lines as lib/bench/line-process.ts says. */
export interface PeerReceiver {
  kind: 'peer'
  name: string
  command: string[]
  /** It opens the camera itself; else the harness points the camera at the port it names. */
  opensCamera: boolean
  privileged?: boolean
}

export type Receiver = OwnReceiver | PeerReceiver

/** Times in microseconds from the last packet's sending to the reader of the frame. */
export interface Latency {
  p50: number
  p99: number
  p999: number
  /** Of the median, until the receive thread had the frame complete; told by this package alone. */
  completeP50?: number
  /** And until JavaScript was woken for it. */
  wokenP50?: number
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

/** One receiver's runs under one load. */
export interface Measured {
  receiver: string
  load: Load
  runs: Run[]
}

/** The highest rate at which one receiver lost nothing. */
export interface HighestRate {
  receiver: string
  load: Load
  /** Gbit/s of IP packets; 0 where even the lowest that was tried lost something. */
  gigabits: number
  /** The sender could not send faster: the receiver's own limit lies above. */
  senderLimited: boolean
  tried: { gigabits: number; lossless: boolean }[]
}

/** One measurement to be made: all receivers take turns under the load, or each one's highest rate is looked for. */
export interface Step {
  kind: 'series' | 'rate'
  load: Load
  /** By name; those that cannot run here are left out. */
  receivers: string[]
}

export interface Section {
  id: string
  title: string
  /** What it shows, in a sentence or two. */
  about: string
  /** It compares this package with itself alone: not part of the comparison with peers unless asked for. */
  extra?: boolean
  steps: Step[]
}

/** What was measured for one section. */
export interface SectionResult {
  id: string
  measured: Measured[]
  rates: HighestRate[]
}

export interface Results {
  machine: string
  sections: SectionResult[]
  /** What was left out, and why. */
  leftOut: string[]
}
