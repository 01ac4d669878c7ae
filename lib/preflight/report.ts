// What preflight tells: findings, the ports that must pass, and the whole report. The public shapes of DESIGN section 3.

import type { Facts } from './facts.js'
import type { FindingCode } from './finding-codes.js'

export type Severity = 'error' | 'warning' | 'info'
export type Confidence = 'certain' | 'high' | 'medium' | 'low'

/** What a command line is typed into. `text`: an instruction for a person, nothing to run. */
export type Shell = 'sh' | 'powershell' | 'cmd' | 'text'

export interface RemedyCommand {
  shell: Shell
  command: string
  /** Takes `command` back, run in the same shell. */
  undo?: string
  /** Needs root, or an elevated prompt. */
  elevated: boolean
}

export interface Remedy {
  text: string
  commands: RemedyCommand[]
  /** The same for another shell: instead of `commands`, never beside them. */
  alternatives?: RemedyCommand[]
}

export interface Finding {
  /** One of FINDING_CODES (finding-codes.ts). */
  code: FindingCode
  severity: Severity
  confidence: Confidence
  summary: string
  /** What was observed, one sentence each, worst first. */
  evidence: string[]
  remedy?: Remedy
}

export type LayerName =
  | 'camera'
  | 'cable'
  | 'switch'
  | 'router'
  | 'interface'
  | 'firewall'
  | 'security-product'
  | 'program'

/** `suspect`: one of several places that a finding may lie in. `unknown`: nothing came so far, or nobody here can look into it. */
export type LayerState = 'passes' | 'hinders' | 'stops' | 'suspect' | 'unknown'

/** A place on the way of the camera's packets. */
export interface Layer {
  layer: LayerName
  network: 'camera' | 'internet'
  /** For people. */
  name: string
  state: LayerState
  /** Findings that lie here. */
  because: FindingCode[]
}

/** One way that packets take, as seen from this host. */
export interface PortRequirement {
  id: string
  purpose: string
  protocol: 'udp' | 'tcp' | 'igmp'
  direction: 'in' | 'out'
  /** Of this host: a port, a range, or one that the system chooses anew each time. */
  localPort: number | [number, number] | 'dynamic'
  remotePort: number | [number, number] | 'dynamic'
  /** An address, a network with prefix length, or 'any'. */
  remoteAddress: string
  /** An address of this host, a multicast group, or 'any'. */
  localAddress: string
  network: 'camera' | 'internet'
  cast: 'unicast' | 'broadcast' | 'multicast'
  required: boolean
  /** When it is needed, for people. */
  when: string
  /** The executable that binds the local port, as the firewall sees it. */
  program: string
  /** What stops working when it is closed. */
  whenClosed: string
}

export interface PreflightReport {
  /** No finding of severity 'error'. */
  ok: boolean
  /** Worst and most certain first; [0] is the verdict. Never empty. */
  findings: Finding[]
  /** From the camera to the program; empty where no camera was asked for. */
  layers: Layer[]
  ports: PortRequirement[]
  /** Windows: every rule for what comes in that names the program, whatever it is worth; absent elsewhere. */
  rules?: ProgramRule[]
  facts: Facts
}

export interface ProgramRule {
  id: string
  name: string
  store: 'local' | 'policy' | 'mdm'
  action: string
  active: boolean
}
