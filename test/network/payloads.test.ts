// Whatever a block can carry: every pixel format, chunks, heights that only the trailer tells, all-in packets, payloads that are
// no images. Every byte is compared with a pattern that is made here from its description, in JavaScript; and that it is where the
// standard wants it, Wireshark's dissectors say.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SimulatorOptions } from '../../lib/index.js'
import { capture } from '../helpers/capture.js'
import { insideOk } from '../helpers/inside.js'
import { cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'
import { chunkTail, patternBytes, variableHeight } from '../helpers/tools.mjs'

const SEED = 0x1_2345_6789
const PACKET_SIZE = 1500
const BLOCKS = 12
const CHUNK_BYTES = 40

let net: Namespace

interface Payload {
  width: number
  height: number
  bitsPerPixel: number
  /** Bytes behind each line; with them, lines begin on bytes. */
  paddingX?: number
  /** The camera draws a height for each block. */
  variable?: boolean
  chunks?: boolean
}

/** Sends blocks and gives what is told of each frame, with the first byte that differs from the expected ones. */
async function received(options: SimulatorOptions, payload: Payload) {
  const result = await insideOk(
    net,
    async (gigewire, { options, payload, packetSize, blocks }, tools) => {
      const seed = BigInt(options.seed)
      const { width, bitsPerPixel, paddingX = 0, variable, chunks } = payload
      const frames: Record<string, unknown>[] = []
      const outcome = await tools.simulate(gigewire, {
        simulator: options,
        stream: { packetSize },
        blocks,
        check: undefined, // here, by other means
        onFrame: (frame) => {
          const lines = variable ? tools.variableHeight(seed, frames.length, payload.height) : payload.height
          const image =
            paddingX > 0
              ? (Math.ceil((width * bitsPerPixel) / 8) + paddingX) * lines
              : Math.ceil((width * lines * bitsPerPixel) / 8)
          const expected = Buffer.concat([
            tools.patternBytes(seed, frame.blockId, image),
            chunks ? tools.chunkTail(image, frame.blockId, frame.timestamp) : new Uint8Array(),
          ])
          const { data } = frame
          frames.push({
            id: frame.blockId,
            lines,
            bytes: data.length,
            expectedBytes: expected.length,
            wrong:
              expected.compare(data) === 0 ? -1 : expected.findIndex((byte, offset) => byte !== data[offset]),
            payloadType: frame.payloadType,
            pixelFormat: frame.pixelFormat,
            bitsPerPixel: frame.bitsPerPixel,
            width: frame.width,
            height: frame.height,
            stride: frame.stride,
            paddingX: frame.paddingX,
            complete: frame.complete,
            missing: frame.missing.length,
            packets: frame.packets,
          })
        },
      })
      return { frames, outcome }
    },
    { options: { ...options, seed: SEED }, payload, packetSize: PACKET_SIZE, blocks: BLOCKS },
  )
  const { frames, outcome } = result
  expect(outcome.timeout).toBeUndefined()
  expect(outcome.wrong).toEqual([])
  expect(outcome.sums).toEqual([])
  expect(outcome.stats).toMatchObject({
    blocksComplete: BLOCKS,
    blocksIncomplete: 0,
    malformed: 0,
    refused: 0,
    packetsMissing: 0,
  })
  expect(outcome.stats.packetsReceived).toBe(outcome.simulator.packetsSent)
  expect(frames.length).toBe(BLOCKS)
  return frames as {
    [key: string]: unknown
    lines: number
    bytes: number
    packets: { expected: number; received: number }
  }[]
}

/** Leader, data of the size that ids of this kind leave room for, trailer. */
function packetsOf(
  bytes: number,
  extendedIds: boolean,
): { expected: number; received: number; resent: number } {
  const packets = Math.ceil(bytes / (PACKET_SIZE - 28 - (extendedIds ? 20 : 8))) + 2
  return { expected: packets, received: packets, resent: 0 }
}

describeWith(['netns'], 'payloads', () => {
  beforeAll(() => {
    net = new Namespace()
  })
  afterAll(() => net?.[Symbol.dispose]())

  it('payload types that the simulator cannot send are refused', async () => {
    const outcomes = await insideOk(net, async (gigewire) => {
      const outcomes: string[] = []
      for (const payloadType of [8, 9, 10, 11, 0x400a]) {
        await gigewire.startSimulator({ payloadType }).then(
          () => outcomes.push('started'),
          (error: { code: string }) => outcomes.push(error.code),
        )
      }
      return outcomes
    })
    expect(outcomes).toEqual(new Array(5).fill('ERR_GIGE_INVALID_ARGUMENT'))
  })

  describe.each([
    { ids: 'standard', extendedIds: false, firstBlockId: 65_530 },
    { ids: 'extended', extendedIds: true, firstBlockId: 2 ** 40 - 6 },
  ])('with $ids ids', ({ extendedIds, firstBlockId }) => {
    // Over the end of 16 bits, where 0 is left out, and of 40 bits.
    const ids = Array.from({ length: BLOCKS }, (_, i) => {
      const id = firstBlockId + i
      return `${extendedIds ? id : ((id - 1) % 65_535) + 1}n`
    })
    const camera = { extendedIds, firstBlockId }

    const formats = [
      ['Mono8', 8],
      ['Mono10p', 10],
      ['Mono12p', 12],
      ['Mono12Packed', 12],
      ['Mono16', 16],
      ['BayerRG8', 8],
      ['BayerGR8', 8],
      ['BayerGB8', 8],
      ['BayerBG8', 8],
      ['BayerRG12p', 12],
      ['RGB8', 24],
    ] as const
    for (const [pixelFormat, bitsPerPixel] of formats) {
      it(`an image of ${pixelFormat}`, async () => {
        // An odd number of pixels: the last byte of 10 and 12 bits is a part of one.
        const [width, height] = [131, 77]
        const bytes = Math.ceil((width * height * bitsPerPixel) / 8)
        const frames = await received(
          { ...camera, width, height, pixelFormat },
          { width, height, bitsPerPixel },
        )
        expect(frames.map((frame) => frame.id)).toEqual(ids)
        const lineBits = width * bitsPerPixel
        for (const frame of frames) {
          expect(frame).toMatchObject({
            ...{ bytes, expectedBytes: bytes, wrong: -1, complete: true, missing: 0 },
            ...{ payloadType: 'image', pixelFormat, bitsPerPixel, width, height },
            stride: lineBits % 8 === 0 ? lineBits / 8 : 0,
            packets: packetsOf(bytes, extendedIds),
          })
        }
      })
    }

    it('an image with bytes behind its lines', async () => {
      const shape = { width: 100, height: 60, paddingX: 12 }
      const frames = await received({ ...camera, ...shape }, { ...shape, bitsPerPixel: 8 })
      const bytes = 112 * 60
      for (const frame of frames) {
        expect(frame).toMatchObject({
          ...{ wrong: -1, bytes, expectedBytes: bytes, stride: 112, paddingX: 12, width: 100, height: 60 },
          packets: packetsOf(bytes, extendedIds),
        })
      }
    })

    for (const chunks of [false, true]) {
      it(`an image whose height the trailer tells${chunks ? ', with chunks' : ''}`, async () => {
        const shape = { width: 160, height: 120 }
        const frames = await received(
          { ...camera, ...shape, variableHeight: true, chunkMode: chunks },
          { ...shape, bitsPerPixel: 8, variable: true, chunks },
        )
        expect(frames.map((frame) => frame.id)).toEqual(ids)
        expect(new Set(frames.map((frame) => frame.lines)).size).toBeGreaterThan(6)
        for (const frame of frames) {
          const bytes = 160 * frame.lines + (chunks ? CHUNK_BYTES : 0)
          expect(frame).toMatchObject({
            ...{ wrong: -1, bytes, expectedBytes: bytes, width: 160, height: frame.lines, stride: 160 },
            ...{ payloadType: chunks ? 'image+chunks' : 'image', packets: packetsOf(bytes, extendedIds) },
          })
        }
      })
    }

    it('an image with chunks behind it', async () => {
      const shape = { width: 131, height: 77 }
      const frames = await received(
        { ...camera, ...shape, pixelFormat: 'Mono12p', chunkMode: true },
        { ...shape, bitsPerPixel: 12, chunks: true },
      )
      const bytes = Math.ceil((131 * 77 * 12) / 8) + CHUNK_BYTES
      for (const frame of frames) {
        expect(frame).toMatchObject({
          ...{ wrong: -1, bytes, expectedBytes: bytes, ...shape, pixelFormat: 'Mono12p' },
          ...{ payloadType: 'image+chunks', packets: packetsOf(bytes, extendedIds) },
        })
      }
    })

    for (const chunks of [false, true]) {
      for (const variable of [false, true]) {
        it(`all in one packet${chunks ? ', with chunks' : ''}${variable ? ', of varying height' : ''}`, async () => {
          const shape = { width: 64, height: 20 }
          const frames = await received(
            { ...camera, ...shape, allIn: true, chunkMode: chunks, variableHeight: variable },
            { ...shape, bitsPerPixel: 8, chunks, variable },
          )
          expect(frames.map((frame) => frame.id)).toEqual(ids)
          for (const frame of frames) {
            const bytes = 64 * frame.lines + (chunks ? CHUNK_BYTES : 0)
            expect(frame).toMatchObject({
              ...{ wrong: -1, bytes, expectedBytes: bytes, width: 64, height: frame.lines, complete: true },
              payloadType: chunks ? 'image+chunks' : 'image',
              packets: { expected: 1, received: 1, resent: 0 },
            })
          }
        })
      }
    }

    it('all in one packet where it fits, in several where it does not', async () => {
      const shape = { width: 64, height: 40 } // 23 lines and less would fit
      const frames = await received(
        { ...camera, ...shape, allIn: true, variableHeight: true },
        { ...shape, bitsPerPixel: 8, variable: true },
      )
      const packets = frames.map((frame) => frame.packets.expected)
      expect(new Set(packets.map((count) => count === 1)).size).toBe(2)
      for (const frame of frames) expect(frame).toMatchObject({ wrong: -1, height: frame.lines })
    })

    const types: { payloadType: number; name: string; chunks?: boolean; image?: boolean }[] = [
      { payloadType: 2, name: 'raw' },
      { payloadType: 3, name: 'file' },
      { payloadType: 4, name: 'chunk', chunks: true },
      { payloadType: 5, name: 'extended-chunk', chunks: true, image: true },
      { payloadType: 6, name: 'jpeg' },
      { payloadType: 7, name: 'jpeg2000' },
      { payloadType: 0x4002, name: 'raw+chunks', chunks: true },
      { payloadType: 0x8123, name: '0x8123' },
    ]
    for (const { payloadType, name, chunks = false, image = false } of types) {
      it(`payload type ${name}: delivered as it is`, async () => {
        const shape = { width: 160, height: 60 }
        const frames = await received(
          { ...camera, ...shape, payloadType, chunkMode: chunks },
          { ...shape, bitsPerPixel: 8, chunks },
        )
        expect(frames.map((frame) => frame.id)).toEqual(ids)
        const bytes = 160 * 60 + (chunks ? CHUNK_BYTES : 0)
        for (const frame of frames) {
          expect(frame).toMatchObject({
            ...{ wrong: -1, bytes, expectedBytes: bytes, payloadType: name, complete: true },
            ...(image
              ? { ...shape, pixelFormat: 'Mono8' }
              : { width: 0, height: 0, pixelFormat: '', bitsPerPixel: 0 }),
            packets: packetsOf(bytes, extendedIds),
          })
        }
      })
    }
  })
})

describeWith(['netns', 'tshark'], "payloads in Wireshark's view", () => {
  const [WIDTH, HEIGHT, SENT] = [64, 16, 3]
  const SMALL = 680 // packets of which a payload takes two, unless all is in one
  const MONO8 = '0x01080001'
  const ON_THE_WIRE = [
    ...(['ip.src', 'udp.length', 'frame.protocols', '_ws.expert.severity', 'gvcp.cmd.command'] as const),
    ...(['gvsp.format', 'gvsp.blockid16', 'gvsp.blockid64', 'gvsp.payloadtype', 'gvsp.timestamp'] as const),
    ...(['gvsp.sizex', 'gvsp.sizey', 'gvsp.pixel', 'gvsp.payloaddatasize', 'gvsp.payloadlength'] as const),
    ...(['gvsp.chunkdatapayloadlengthhex', 'gvsp.chunklayoutidhex', 'gvsp.payloaddata'] as const),
  ]

  const cases: { name: string; type: number; options: SimulatorOptions }[] = [
    { name: 'all-in', type: 1, options: { allIn: true } },
    { name: 'all-in, extended ids', type: 1, options: { allIn: true, extendedIds: true } },
    { name: 'all-in, chunks', type: 0x4001, options: { allIn: true, chunkMode: true } },
    { name: 'image, variable height', type: 1, options: { variableHeight: true } },
    { name: 'image, chunks, extended ids', type: 0x4001, options: { chunkMode: true, extendedIds: true } },
    { name: 'raw', type: 2, options: { payloadType: 2 } },
    { name: 'raw, chunks', type: 0x4002, options: { payloadType: 0x4002, chunkMode: true } },
    { name: 'chunk', type: 4, options: { payloadType: 4, chunkMode: true } },
    { name: 'extended chunk', type: 5, options: { payloadType: 5, chunkMode: true } },
    { name: 'JPEG', type: 6, options: { payloadType: 6 } },
  ]

  /** What the leader and the trailer of a block say, beside the id and the time. */
  function said(type: number, lines: number, bytes: number) {
    const hex = (value: number, digits: number) => `0x${value.toString(16).padStart(digits, '0')}`
    const payloadType = { 'gvsp.payloadtype': hex(type, 4) }
    const nothing = {
      ...{ 'gvsp.sizex': '', 'gvsp.sizey': '', 'gvsp.pixel': '', 'gvsp.payloaddatasize': '' },
      ...{ 'gvsp.payloadlength': '', 'gvsp.chunkdatapayloadlengthhex': '', 'gvsp.chunklayoutidhex': '' },
    }
    const hasImage = [1, 0x4001, 5].includes(type)
    const leader = hasImage
      ? { 'gvsp.sizex': String(WIDTH), 'gvsp.sizey': String(HEIGHT), 'gvsp.pixel': MONO8 }
      : type !== 4 && { 'gvsp.payloaddatasize': String(bytes) }
    const trailer = {
      ...(hasImage && { 'gvsp.sizey': String(lines) }),
      ...([4, 5].includes(type) && { 'gvsp.payloadlength': String(bytes) }),
      ...((type & 0x4000) !== 0 && { 'gvsp.chunkdatapayloadlengthhex': hex(bytes, 8) }),
      ...(((type & 0x4000) !== 0 || type === 5) && { 'gvsp.chunklayoutidhex': hex(1, 8) }),
    }
    return {
      leader: { ...nothing, ...payloadType, ...leader },
      trailer: { ...nothing, ...payloadType, ...trailer },
    }
  }

  it('all-in, chunks, raw data, JPEG, heights that vary: every field where the standard wants it, every byte right', async () => {
    using host = new Namespace()
    using camera = new Namespace()
    cable(host, { device: 'v0', cidr: '10.99.0.1/24' }, camera, { device: 'v1', cidr: '10.99.0.9/24' })
    const address = (i: number) => `10.99.0.${10 + i}`
    const simulators = cases.map(({ options }, i) => ({
      ...{ width: WIDTH, height: HEIGHT, frameRate: 100, gso: false, seed: SEED },
      ...{ ...options, address: address(i), serial: `S${i}` },
    }))
    for (const simulator of simulators) camera.address('v1', `${simulator.address}/24`)
    await remoteSimulator(camera, simulators[0]!, simulators.slice(1))
    using traffic = await capture(host, 'v0')
    const received = await insideOk(
      host,
      async (gigewire, { cameras, blocks }, tools) => {
        const features = { AcquisitionMode: 'MultiFrame', AcquisitionFrameCount: blocks }
        const received: number[][] = []
        for (const { camera, packetSize } of cameras) {
          const { ids } = await tools.receive(gigewire, { camera, features, blocks, stream: { packetSize } })
          received.push(ids)
        }
        return received
      },
      {
        cameras: cases.map(({ options }, i) => ({
          camera: address(i),
          packetSize: options.allIn ? PACKET_SIZE : SMALL,
        })),
        blocks: SENT,
      },
    )
    await traffic.stop()
    expect(received).toEqual(cases.map(() => [1, 2, 3]))

    const all = traffic.rows('udp', ON_THE_WIRE)
    const seen = (about: (row: (typeof all)[0]) => boolean) => all.filter(about)
    expect(seen((row) => /_ws\.(malformed|short)/.test(row['frame.protocols']))).toEqual([])
    expect(seen((row) => Number(row['_ws.expert.severity']) >= 0x800000)).toEqual([])
    // Beside GVCP and GVSP there are only the datagrams that open firewalls.
    const others = seen((row) => !/:gv[cs]p/.test(row['frame.protocols']))
    expect(others.filter((row) => row['udp.length'] !== '16')).toEqual([])

    for (const [i, { name, type, options }] of cases.entries()) {
      const { extendedIds = false, allIn = false, variableHeight: variable = false } = options
      const packets = seen((row) => row['ip.src'] === address(i) && row['gvsp.format'] !== '')
      for (let id = 1; id <= SENT; id++) {
        const where = `${name}, block ${id}`
        const block = packets.filter((row) => Number(row[`gvsp.blockid${extendedIds ? 64 : 16}`]) === id)
        const lines = variable ? variableHeight(BigInt(SEED), id - 1, HEIGHT) : HEIGHT
        const timestamp = BigInt(block[0]?.['gvsp.timestamp'] ?? 0)
        const tail = options.chunkMode ? chunkTail(WIDTH * lines, BigInt(id), timestamp) : new Uint8Array()
        const expected = Buffer.concat([patternBytes(BigInt(SEED), BigInt(id), WIDTH * lines), tail])
        const dataPackets = Math.ceil(expected.length / (SMALL - 28 - (extendedIds ? 20 : 8)))
        const formats = block.map((row) => Number(row['gvsp.format']) - (extendedIds ? 0x80 : 0))
        expect([where, formats]).toEqual([where, allIn ? [4] : [1, ...new Array(dataPackets).fill(3), 2]])
        const data = block.map((row) => row['gvsp.payloaddata']).join('')
        expect([where, data]).toEqual([where, expected.toString('hex')])

        const { leader, trailer } = said(type, lines, expected.length)
        if (allIn) {
          const both = Object.entries(leader).map(([field, value]) => {
            const values = [value, trailer[field as keyof typeof trailer]].filter((text) => text !== '')
            return [field, values.join(',')]
          })
          expect([where, block[0]]).toMatchObject([where, Object.fromEntries(both)])
        } else {
          expect([where, block[0]]).toMatchObject([where, leader])
          expect([where, block.at(-1)]).toMatchObject([where, trailer])
        }
      }
    }
  }, 90_000)
})
