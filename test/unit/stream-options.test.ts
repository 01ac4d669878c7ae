// Stream options are checked before anything is touched; what passes is what native code can use.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GigeError } from '../../lib/errors.js'
import { validateStreamOptions } from '../../lib/stream-options.js'
import type { StreamOptions } from '../../lib/types.js'

const check =
  (options: object, access: 'control' | 'monitor' = 'control') =>
  () =>
    validateStreamOptions(options as StreamOptions, access)

const right: object[] = [
  {},
  { buffers: 1 },
  { buffers: 4096 },
  { packetSize: 'auto' },
  { packetSize: 9000 },
  { bufferHandling: 'NewestOnly', incomplete: 'deliver', resend: false, acquisition: 'manual' },
  { resend: { maxTries: 3 } },
  { streamPort: 50000 },
  { streamPort: [50000, 50010] },
  { streamPort: [50000, 50000] },
  { multicast: '239.1.2.3' },
  { threads: 'shared', tuning: { hugePages: true } },
  { threads: 'own', tuning: { priority: 99, cpu: [0, 1023], busyPoll: 1000 } },
  { tuning: { priority: -20, cpu: undefined } },
  { frames: 1, frameTimeout: 1, receiveBufferBytes: 4096, signal: AbortSignal.abort() },
  { buffers: undefined, packetSize: undefined, streamPort: undefined, multicast: undefined },
]
const wrong: [object, RegExp][] = [
  [{ buffers: 0 }, /buffers must be a whole number from 1 to 4096, not 0/],
  [{ buffers: 4097 }, /buffers/],
  [{ buffers: 1.5 }, /buffers/],
  [{ buffers: '8' }, /buffers/],
  [{ buffers: Number.NaN }, /buffers/],
  [{ packetSize: 45 }, /packetSize/],
  [{ packetSize: 65536 }, /packetSize/],
  [{ packetSize: 'Auto' }, /packetSize/],
  [
    { bufferHandling: 'newestonly' },
    /bufferHandling must be one of 'OldestFirst', 'OldestFirstOverwrite', 'NewestOnly'/,
  ],
  [{ incomplete: true }, /incomplete/],
  [{ acquisition: '' }, /acquisition/],
  [{ streamPort: 0 }, /streamPort/],
  [{ streamPort: [2, 1] }, /streamPort/],
  [{ streamPort: [1, 2, 3] }, /streamPort/],
  [{ streamPort: [] }, /streamPort/],
  [{ multicast: '192.168.0.1' }, /multicast/],
  [{ multicast: 'x' }, /multicast/],
  [{ multicast: '239.1.2' }, /multicast/],
  [{ multicast: '239.1.2.300' }, /multicast/],
  [{ streamDestination: 'here' }, /streamDestination/],
  [{ resend: 'yes' }, /resend/],
  [{ resend: { maxtries: 3 } }, /Unknown resend option 'maxtries'/],
  [{ resend: { timeout: -1 } }, /timeout/],
  [{ threads: 'pool' }, /threads/],
  [{ tuning: 1 }, /tuning options must be an object/],
  [{ tuning: { prio: 3 } }, /Unknown tuning option 'prio'/],
  [{ tuning: { priority: 0 } }, /priority must be 1 to 99/],
  [{ tuning: { priority: 100 } }, /priority/],
  [{ tuning: { cpu: [] } }, /cpu/],
  [{ tuning: { cpu: [1024] } }, /cpu/],
  [{ tuning: { busyPoll: 0 } }, /busyPoll/],
  [{ tuning: { hugePages: 'yes' } }, /hugePages/],
  [{ threads: 'shared', tuning: { priority: 20 } }, /serves one stream/],
  [{ frames: 0 }, /frames/],
  [{ frameTimeout: 0 }, /frameTimeout/],
  [{ receiveBufferBytes: 1 }, /receiveBufferBytes/],
  [{ signal: {} }, /signal/],
  [{ bufers: 3 }, /Unknown stream option 'bufers'/],
]

describe('stream options', () => {
  for (const options of right)
    it(`takes ${JSON.stringify(options)}`, () => expect(check(options)).not.toThrow())
  for (const [options, message] of wrong) {
    it(`refuses ${JSON.stringify(options)}`, () => {
      expect(check(options)).toThrow(GigeError)
      expect(check(options)).toThrow(message)
    })
  }

  it('says what was probably meant', () => {
    expect(check({ bufferhandling: 'NewestOnly' })).toThrow(
      expect.objectContaining({ hint: "Did you mean 'bufferHandling'?" }),
    )
  })

  it('without control takes a multicast group only', () => {
    expect(check({}, 'monitor')).toThrow(GigeError)
    expect(check({ multicast: '239.1.2.3' }, 'monitor')).not.toThrow()
  })

  it('is a copy: later changes by the caller do nothing', () => {
    const mine: StreamOptions = { buffers: 3 }
    const taken = validateStreamOptions(mine, 'control')
    mine.buffers = 5
    expect(taken.buffers).toBe(3)
  })

  it('throws nothing but GigeError, whatever comes', () => {
    const names = [
      'buffers',
      'packetSize',
      'bufferHandling',
      'incomplete',
      'resend',
      'streamPort',
      'streamDestination',
      'multicast',
      'frames',
      'signal',
      'x',
    ]
    const option = fc.tuple(fc.constantFrom(...names), fc.oneof(fc.anything(), fc.integer(), fc.ipV4()))
    fc.assert(
      fc.property(fc.array(option, { maxLength: 4 }), (options) => {
        try {
          const { buffers = 8, packetSize = 'auto' } = validateStreamOptions(
            Object.fromEntries(options),
            'control',
          )
          expect(Number.isInteger(buffers) && buffers >= 1 && buffers <= 4096).toBe(true)
          expect(packetSize === 'auto' || (Number.isInteger(packetSize) && packetSize >= 46)).toBe(true)
        } catch (error) {
          if (!(error instanceof GigeError)) throw error
        }
      }),
      { numRuns: 2000 },
    )
  })
})
