// Work under way belongs to nobody but its promise: what it was asked of may be garbage long before it is done.

import { expect, it } from 'vitest'
import { run } from './child.js'

it('a forced address is waited for although nobody holds what waits', async () => {
  const outcome = await run(
    undefined,
    async (_, { entry }) => {
      const { native } = (await import(
        new URL('native.js', `file://${entry}`).href
      )) as typeof import('../../lib/native.js')
      const { gc } = globalThis as unknown as { gc: () => void }
      let outcome = ''
      new native.Discovery()
        .forceIp({
          mac: '02:00:00:00:00:01',
          interface: 'lo',
          address: '127.0.0.9',
          subnetMask: '255.0.0.0',
          timeout: 300,
        })
        .then(
          () => {
            outcome = 'seen'
          },
          (error: { code: string }) => {
            outcome = error.code
          },
        )
      while (outcome === '') {
        gc()
        await new Promise(setImmediate)
      }
      return outcome
    },
    {},
    { nodeArgs: ['--expose-gc'] },
  )
  expect(outcome).toBe('ERR_GIGE_TIMEOUT')
})
