// Synthetic descriptions: a root element around the nodes that a test is about.

import { createNodeMap, type NodeMap, type NodeMapOptions } from '../../lib/genapi/index.js'
import { FakePort } from './fake-port.js'

export function description(nodes: string, schemaMinor: 0 | 1 = 1): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<RegisterDescription ModelName="Model" VendorName="Vendor" ToolTip="Tip" StandardNameSpace="None"
  SchemaMajorVersion="1" SchemaMinorVersion="${schemaMinor}" SchemaSubMinorVersion="0"
  MajorVersion="2" MinorVersion="0x3" SubMinorVersion="007" ProductGuid="" VersionGuid="">
${nodes}
${nodes.includes('Name="Device"') ? '' : '<Port Name="Device"/>'}
</RegisterDescription>`
}

/** A register element: `register('IntReg', 'R', 0x100, '<Sign>Signed</Sign>', { length: 2 })`. */
export function register(
  kind: string,
  name: string,
  address: number | string,
  rest = '',
  { length = 4, access = 'RW', order = 'BigEndian' } = {},
): string {
  const place = typeof address === 'number' ? `<Address>${address}</Address>` : address
  return `<${kind} Name="${name}">${place}<Length>${length}</Length><AccessMode>${access}</AccessMode>
    <pPort>Device</pPort><Endianess>${order}</Endianess>${rest}</${kind}>`
}

/** A node map over memory of its own. */
export function camera<P extends FakePort = FakePort>(
  nodes: string,
  { schemaMinor = 1, port, ...options }: NodeMapOptions & { schemaMinor?: 0 | 1; port?: P } = {},
): { map: NodeMap; port: P } {
  const device = port ?? (new FakePort() as P)
  return { map: createNodeMap(description(nodes, schemaMinor), device, options), port: device }
}
