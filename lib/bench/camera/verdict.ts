// Which link of the chain from the sensor to the program limits a camera, and where its frames are lost. Pure: from facts to ordered
// findings, so that recorded facts of any machine can be judged again. Rules are independent of each other: several may hold.

import type { BenchFinding, CameraBenchFacts, ChainLink } from './facts.js'
import { LIMITS } from './limits.js'

type Verdict = Omit<BenchFinding, 'code' | 'link' | 'severity'>

interface Rule {
  code: string
  link: ChainLink
  severity: BenchFinding['severity']
  /** What it says where it holds. */
  judge: (facts: CameraBenchFacts) => Verdict | undefined
}

const BUSY = 0.9
/** Delay of the event loop that is worth to be told, in microseconds. */
const LATE_LOOP = 50_000

const count = (value: number) => value.toLocaleString('en-US')
const percent = (share: number) => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`
const ms = (us: number) => `${(us / 1000).toFixed(1)} ms`

/** Frames lost for packets: those are errors, what resend made good are warnings. */
function framesLost({ stats }: CameraBenchFacts): boolean {
  return stats.packetsMissing > 0 || stats.blocksMissed > 0
}

const LOSSES: Rule[] = [
  {
    code: 'nic.dropped',
    link: 'nic',
    severity: 'error',
    judge: ({ nic, interface: { name } }) => {
      const counters = Object.entries({
        rx_dropped: nic.dropped,
        rx_missed_errors: nic.missed,
        rx_fifo_errors: nic.fifo,
      })
      const grown = counters.filter(([, value]) => (value ?? 0) > 0)
      if (grown.length === 0) return undefined
      return {
        summary: `The network interface ${name} dropped packets`,
        evidence: grown.map(([counter, value]) => `${counter} grew by ${count(value as number)} meanwhile`),
        next: `Lengthen its ring (sudo ethtool -G ${name} rx 4096) and see whether flow control is on (ethtool -a ${name}).`,
      }
    },
  },
  {
    code: 'kernel.backlog',
    link: 'kernel',
    severity: 'error',
    judge: ({ softnet, stats }) => {
      if (!softnet.dropped) return undefined
      return {
        summary: 'The kernel dropped packets before they reached a socket',
        evidence: [
          `softnet_stat: ${count(softnet.dropped)} dropped, time ran out ${count(softnet.squeezed ?? 0)} times (whole machine)`,
          `${count(stats.lostOnWire)} packets of this camera were lost before the socket`,
        ],
        next: 'Raise net.core.netdev_max_backlog and net.core.netdev_budget, or give the interrupts of the NIC a core of their own.',
      }
    },
  },
  {
    code: 'kernel.socket-queue',
    link: 'kernel',
    severity: 'error',
    judge: (facts) => {
      const { stats, receiveBuffer, cpu } = facts
      if (stats.kernelDrops === 0) return undefined
      return {
        summary: "The stream socket's queue ran over: the receive thread did not run in time",
        evidence: [
          `${count(stats.kernelDrops)} packets dropped by the kernel, ${percent(stats.kernelDrops / (stats.datagrams + stats.kernelDrops))} of all`,
          ...(receiveBuffer === undefined ? [] : [receiveBuffer]),
          ...(cpu.receiveThread === undefined
            ? []
            : [`the receive thread used ${percent(cpu.receiveThread)} of a core`]),
        ],
        next: 'Let the queue be larger (sudo sysctl -w net.core.rmem_max=33554432, --receive-buffer), and keep other work off the cores.',
      }
    },
  },
  {
    code: 'wire.loss',
    link: 'link',
    severity: 'error',
    judge: (facts) => {
      const { stats, nic, softnet } = facts
      const elsewhere = (nic.dropped ?? 0) + (nic.missed ?? 0) + (nic.fifo ?? 0) + (softnet.dropped ?? 0)
      const lost = stats.lostOnWire - elsewhere
      if (lost <= 0 && stats.blocksMissed === 0) return undefined
      return {
        summary: 'Packets were lost before they reached this machine: camera, cable, switch, or a firewall',
        evidence: [
          `${count(stats.lostOnWire)} of ${count(stats.packetsExpected)} packets (${percent(stats.lostOnWire / Math.max(stats.packetsExpected, 1))}) never reached the socket`,
          `${count(stats.packetsResent)} of all lost ones came when asked for again, ${count(stats.packetsMissing)} are missing`,
          ...(stats.blocksMissed > 0 ? [`of ${count(stats.blocksMissed)} frames not one packet came`] : []),
        ],
        next: 'See cable and connectors, error and drop counters of the switch port, and flow control; lower the packet rate (GevSCPD, DeviceLinkThroughputLimit).',
      }
    },
  },
  {
    code: 'javascript.no-slot',
    link: 'javascript',
    severity: 'error',
    judge: ({ stats, starved, eventLoopDelay, cpu }) => {
      if (stats.blocksNoSlot === 0) return undefined
      return {
        summary: 'Frames found no free slot: JavaScript did not release them in time',
        evidence: [
          `${count(stats.blocksNoSlot)} of ${count(stats.blocksExpected)} frames dropped; 'starved' was told ${count(starved)} times`,
          `the event loop was late by ${ms(eventLoopDelay.p99)} (p99), ${ms(eventLoopDelay.max)} at worst`,
          ...(cpu.mainThread === undefined ? [] : [`its thread used ${percent(cpu.mainThread)} of a core`]),
        ],
        next: 'Give more --buffers for short stalls; for lasting ones do less per frame, or read in a worker (attachStream).',
      }
    },
  },
  {
    code: 'receive-thread.busy',
    link: 'receive-thread',
    severity: 'warning',
    judge: ({ cpu, stats }) => {
      if ((cpu.receiveThread ?? 0) < BUSY) return undefined
      return {
        summary: 'The receive thread uses up a core',
        evidence: [
          `${percent(cpu.receiveThread as number)} of a core, ${(stats.datagrams / Math.max(stats.batches, 1)).toFixed(1)} packets per read`,
        ],
        next: 'Use larger packets (an MTU of 9000 from camera to NIC), let packets gather (--coalesce), or try another --engine.',
      }
    },
  },
  {
    code: 'javascript.busy',
    link: 'javascript',
    severity: 'warning',
    judge: ({ cpu, eventLoopDelay: { p99, max }, stats }) => {
      const busy = (cpu.mainThread ?? 0) >= BUSY
      if (stats.blocksNoSlot > 0 || (!busy && p99 < LATE_LOOP)) return undefined
      return {
        summary: 'The event loop is late, and frames wait in their slots',
        evidence: [
          `late by ${ms(p99)} (p99), ${ms(max)} at worst`,
          ...(cpu.mainThread === undefined ? [] : [`its thread used ${percent(cpu.mainThread)} of a core`]),
        ],
        next: 'See what else runs in this process or on this machine; more --buffers bridge short stalls.',
      }
    },
  },
  {
    code: 'resend.unanswered',
    link: 'resend',
    severity: 'error',
    judge: ({ stats }) => {
      if (stats.missingExhausted + stats.missingRefused === 0) return undefined
      return {
        summary: 'The camera was asked for lost packets in vain',
        evidence: [
          `${count(stats.resendRequested)} packets asked for, ${count(stats.packetsResent)} came`,
          `${count(stats.missingExhausted)} never came, ${count(stats.missingRefused)} it had no more`,
        ],
        next: 'Its memory for resends may be short or its link full: lower its frame rate or throughput, and cure the losses themselves.',
      }
    },
  },
  {
    code: 'resend.budget',
    link: 'resend',
    severity: 'error',
    judge: ({ stats, camera }) => {
      if (stats.missingNotRequested === 0) return undefined
      const silent = stats.resendRequests === 0
      return {
        summary: silent
          ? 'Lost packets were not asked for again'
          : 'More packets were lost than may be asked for again',
        evidence: [
          `${count(stats.missingNotRequested)} missing packets were not asked for; ${count(stats.resendRequests)} requests were sent`,
          `the camera ${camera.canResend === false ? 'cannot resend' : camera.canResend ? 'can resend' : 'does not tell whether it can resend'}`,
        ],
        next: silent
          ? 'Switch resend on where the camera can (leave --no-resend out); else only curing the losses helps.'
          : 'Cure the losses; the budget (resend.budgetPercent, 25 % of the packets received) keeps a full link from being filled further.',
      }
    },
  },
]

const ORDER: Record<BenchFinding['severity'], number> = { error: 0, warning: 1, info: 2 }

/** Losses first, then what sets the rate; within each, in the order of a frame's way. Never empty. */
export function judge(facts: CameraBenchFacts): BenchFinding[] {
  const findings: BenchFinding[] = []
  for (const { code, link, severity, judge } of LOSSES) {
    const verdict = judge(facts)
    if (!verdict) continue
    const repaired = severity === 'error' && link !== 'javascript' && link !== 'resend' && !framesLost(facts)
    findings.push({ code, link, severity: repaired ? 'warning' : severity, ...verdict })
  }
  // Only one of them sets the rate: the first that holds.
  for (const { code, link, judge } of LIMITS) {
    const verdict = judge(facts)
    if (!verdict) continue
    findings.push({ code, link, severity: 'info', ...verdict })
    break
  }
  return findings.sort((a, b) => ORDER[a.severity] - ORDER[b.severity])
}
