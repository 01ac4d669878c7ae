// Before anything else: is there a link, and is somebody there?

import { inSubnet } from '../../ipv4.js'
import type { Evidence } from './evidence.js'
import { count, type Rule } from './rule.js'

const silent = ({ U, B }: Evidence) => U === false && B !== true

const linkDown: Rule = ({ nic, facts, camera, U }) => {
  const down = nic ?? facts.host.interfaces.find((one) => inSubnet(camera, one))
  if (!down || down.loopback || U || (down.up && down.carrier !== false)) return undefined
  return {
    code: 'link.down',
    severity: 'error',
    confidence: 'certain',
    summary: `${down.name}, the network interface towards ${camera}, has no link`,
    evidence: [down.up ? `${down.name} has no carrier` : `${down.name} is switched off`],
  }
}

const notACamera: Rule = ({ unicast, U, camera, neighbour }) => {
  if (U || unicast?.error !== 'ECONNREFUSED') return undefined
  return {
    code: 'network.not-a-camera',
    severity: 'error',
    confidence: 'high',
    summary: `A host answers at ${camera}, but it is no camera: nothing there speaks GVCP`,
    evidence: [
      'it refused UDP port 3956 (ICMP port unreachable)',
      ...(neighbour === 'complete' ? ['it answers ARP'] : []),
    ],
  }
}

const deafHost: Rule = (e) => {
  const { unicast, camera, neighbour } = e
  if (!silent(e) || neighbour !== 'complete' || !unicast || unicast.error !== undefined) return undefined
  return {
    code: 'network.not-a-camera',
    severity: 'error',
    confidence: 'medium',
    summary: `Somebody has the address ${camera}, and does not answer as a camera: another device, a camera that hangs, or a firewall on the way to it`,
    evidence: [`${count(unicast.sent, 'request')} to it, no answer`, 'it answers ARP'],
  }
}

const nobody: Rule = (e) => {
  const { unicast, nic, camera, neighbour, facts } = e
  if (!silent(e) || !unicast || unicast.sent === 0 || unicast.error === 'ECONNREFUSED') return undefined
  if (neighbour === 'complete' || (nic && (!nic.up || nic.carrier === false))) return undefined
  const near = nic !== undefined && inSubnet(camera, nic)
  return {
    code: 'camera.off-or-other-segment',
    severity: 'error',
    confidence: 'medium',
    summary: `Nobody answers at ${camera}`,
    evidence: [
      `${count(unicast.sent, 'request')} to it, no answer`,
      ...(near && neighbour !== undefined ? ['nobody claims the address: ARP gets no answer'] : []),
      ...(facts.host.route?.gateway ? [`it is asked by way of ${facts.host.route.gateway}`] : []),
    ],
  }
}

export const LINK: Rule[] = [linkDown, notACamera, deafHost, nobody]
