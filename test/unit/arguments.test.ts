// Whatever a caller gets wrong is refused by name at every public entry, by a GigeError, before anything is touched.

import { describe, expect, it } from 'vitest'
import { attachStream, discover, forceIp, openCamera, startSimulator, watchCameras } from '../../lib/index.js'
import { insideOk } from '../helpers/inside.js'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'

/** As JavaScript sees it: nothing holds a caller to the types. */
const loose = (entry: unknown) => entry as (...args: unknown[]) => Promise<unknown>
const entries = {
  openCamera: loose(openCamera),
  discover: loose(discover),
  watchCameras: loose((options: object) => watchCameras(options).next()),
  forceIp: loose(forceIp),
  startSimulator: loose(startSimulator),
  attachStream: loose(attachStream),
}

const wrong: [keyof typeof entries, unknown[], RegExp, hint?: RegExp][] = [
  ['openCamera', [undefined], /undefined names no camera/, /discover\(\) found/],
  ['openCamera', [null], /null names no camera/],
  ['openCamera', [''], /names no camera/],
  ['openCamera', [5], /target options must be an object, not 5/],
  ['openCamera', [{}], /\{\} names no camera/],
  ['openCamera', [{ serial: undefined }], /names no camera/, /address, mac, serial, userName/],
  ['openCamera', [{ serial: '' }], /serial must be a string that is not empty/],
  ['openCamera', [{ serialNumber: 'XYZ' }], /target option 'serialNumber'/],
  ['openCamera', [{ mac: 'zz' }], /mac must be a MAC address/],
  ['openCamera', ['10.0.0.1', null], /options must be an object, not null/],
  [
    'openCamera',
    ['10.0.0.1', { heartbeattimeout: 5 }],
    /opening option 'heartbeattimeout'/,
    /'heartbeatTimeout'/,
  ],
  ['openCamera', ['10.0.0.1', { access: 'root' }], /access must be one of 'control', 'exclusive', 'monitor'/],
  ['openCamera', ['10.0.0.1', { heartbeatTimeout: -1 }], /heartbeatTimeout must be .*, not -1/],
  ['openCamera', ['10.0.0.1', { discoverTimeout: '5' }], /discoverTimeout/],
  ['openCamera', ['10.0.0.1', { interface: 5 }], /interface/],
  ['openCamera', ['10.0.0.1', { signal: {} }], /signal must be an AbortSignal/],
  ['discover', [null], /must be an object/],
  ['discover', [{ timout: 100 }], /discovery option 'timout'/, /There are timeout, interfaces/],
  ['discover', [{ timeout: 0 }], /timeout/],
  ['discover', [{ interfaces: 'lo' }], /interfaces must be an array, not lo/],
  ['discover', [{ interfaces: [5] }], /each of interfaces must be a string that is not empty, not 5/],
  ['discover', [{ addresses: ['10.0.0'] }], /each of addresses must be an IPv4 address, not 10\.0\.0/],
  ['discover', [{ until: 'x' }], /until must be a function/],
  ['watchCameras', [{ intervall: 5 }], /watch option 'intervall'/],
  ['watchCameras', [{ until: () => true }], /watch option 'until'/],
  ['forceIp', [], /must be an object, not undefined/],
  ['forceIp', [{ mac: '00:11:22:33:44:55' }], /address is missing/],
  ['forceIp', [{ mac: '00:11', address: '10.0.0.1' }], /mac must be a MAC address/],
  ['forceIp', [{ mac: '00:11:22:33:44:55', address: '10.0.0.1', netmask: '255.0.0.0' }], /'netmask'/],
  ['startSimulator', [null], /must be an object/],
  ['startSimulator', [{ adress: '127.0.0.1' }], /simulator option 'adress'/],
  ['startSimulator', [{ width: 1.5 }], /width/],
  ['startSimulator', [{ resend: 'no' }], /resend must be true or false, not no/],
  ['startSimulator', [{ faults: 5 }], /must be an object/],
  ['startSimulator', [{ faults: { los: 1 } }], /fault option 'los'/],
  ['startSimulator', [{ faults: { loss: 2 } }], /loss must be a number from 0 to 1, not 2/],
  ['startSimulator', [{ faults: { drop: { packet: 1 } } }], /drop must be an array/],
  ['startSimulator', [{ faults: { drop: [{ block: 1 }] } }], /packet is missing/],
  ['startSimulator', [{ faults: { drop: [{ packet: 1, blok: 1 }] } }], /drop option 'blok'/],
  ['attachStream', [], /nothing that stream\.share\(\) gave/],
  ['attachStream', [{ tickFrequency: 1n }], /./],
]

describe('wrong arguments', () => {
  it.each(wrong)('%s refuses %o', async (entry, args, message, hint = /./s) => {
    const error = await Promise.resolve()
      .then(() => entries[entry](...args))
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      name: 'GigeError',
      code: 'ERR_GIGE_INVALID_ARGUMENT',
      message: expect.stringMatching(message),
    })
    if (hint.source !== '.') expect((error as { hint: string }).hint).toMatch(hint)
  })
})

describeWith(['netns'], 'wrong arguments of a camera', () => {
  it('are refused as well', async () => {
    using net = new Namespace()
    const result = await insideOk(net, async ({ openCamera, startSimulator }) => {
      const simulator = await startSimulator()
      const camera = await openCamera(simulator.address)
      const told = async (work: (...args: never[]) => unknown, ...args: unknown[]) => {
        try {
          await (work as (...args: unknown[]) => unknown)(...args)
          return 'accepted'
        } catch (error) {
          const { name, code, message } = error as Error & { code: string }
          return name === 'GigeError' && code === 'ERR_GIGE_INVALID_ARGUMENT' ? message : `${name} ${code}`
        }
      }
      const grab = camera.grab.bind(camera)
      const negotiate = camera.negotiatePacketSize.bind(camera)
      const persistent = camera.setPersistentIp.bind(camera)
      const results = {
        grab: [
          await told(grab, null),
          await told(grab, { timeout: -1 }),
          await told(grab, { timeout: Number.NaN }),
          await told(grab, { timeout: '5' }),
          await told(grab, { bufers: 3 }),
        ],
        negotiatePacketSize: [await told(negotiate, null), await told(negotiate, { maximum: 1000 })],
        setPersistentIp: [
          await told(persistent, { address: '10.0.0.1' }),
          await told(persistent, { address: '10.0.0.1', subnetMask: '255.0.0.0', dhpc: true }),
        ],
        get: [await told(camera.features.get.bind(camera.features), undefined)],
        setFaults: [await told(simulator.setFaults.bind(simulator), { los: 1 })],
      }
      await camera.close()
      await simulator.stop()
      return results
    })
    expect(result).toEqual({
      grab: [
        'The grab options must be an object, not null',
        'timeout must be a number from 1 to 2147483647, not -1',
        'timeout must be a number from 1 to 2147483647, not NaN',
        'timeout must be a number from 1 to 2147483647, not 5',
        "Unknown grab option 'bufers'",
      ],
      negotiatePacketSize: [
        'The negotiation options must be an object, not null',
        "Unknown negotiation option 'maximum'",
      ],
      setPersistentIp: ['subnetMask is missing', "Unknown persistent address option 'dhpc'"],
      get: ["A feature's name is a string, not undefined"],
      setFaults: ["Unknown fault option 'los'"],
    })
  })
})
