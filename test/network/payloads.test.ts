// Whatever a block can carry: every pixel format, chunks, heights that only the trailer tells, all-in packets, payloads that are
// no images. Every byte is compared with a pattern that is made here from its description, in JavaScript.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SimulatorOptions } from '../../lib/index.js'
import { insideOk } from '../helpers/inside.js'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'

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
