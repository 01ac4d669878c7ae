// DocuURL of a node: placeholders that stand for the node, the camera and the system (genapi.md 2.2).

import type { DescriptionInfo } from './types.js'

const UNKNOWN = 'Unknown'

/** Fills in `$(...)`; what nobody knows becomes "Unknown". `node` is the name of the node that the URL belongs to. */
export function fillDocumentationUrl(url: string, node: string, info: DescriptionInfo): string {
  const known: Record<string, string> = {
    Node: node,
    'Sys::NodeName': node,
    'Sys::ModelName': info.modelName,
    'Sys::VendorName': info.vendorName,
    'Sys::StandardNamespace': info.standardNameSpace,
    'Sys::GenApiVersion': info.schemaVersion,
    'Sys::SchemaVersion': info.schemaVersion,
    'Sys::DeviceVersion': info.version,
    'Sys::Application': 'gigewire',
    'Sys::OperatingSystem': process.platform,
    'Sys::Language': Intl.DateTimeFormat().resolvedOptions().locale.slice(0, 2),
  }
  return url.replace(/\$\(([^()]{1,64})\)/g, (_whole, name: string) =>
    encodeURIComponent(Object.hasOwn(known, name) ? known[name]! : UNKNOWN),
  )
}
