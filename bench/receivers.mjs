// Who takes part, by name: this package in its variants, and the peers that could be built here.

import { peers } from './peers/build.mjs'

const own = (name, stream = {}, more = {}) => ({
  kind: 'gigewire',
  name,
  stream: { buffers: 32, ...stream },
  ...more,
})

export function allReceivers() {
  const { list, missing } = peers()
  const ours = [
    own('gigewire'),
    own('gigewire, no coalescing', { coalesce: 0 }),
    own('gigewire, no aggregation, no coalescing', { engine: 'copy', coalesce: 0 }),
  ]
  return { list: { ...list, ...Object.fromEntries(ours.map((one) => [one.name, one])) }, missing }
}
