// What tests do inside a child process (see inside.ts): plain JavaScript, since it is loaded there as it is. Purpose: one way to
// receive a known number of blocks, to check every byte of them, and to say what does not add up.

export * from './pattern.mjs'

/** Polls until condition() gives something true. */
export async function until(condition, what, limit = 15_000) {
  const end = performance.now() + limit
  for (;;) {
    const value = await condition()
    if (value) return value
    if (performance.now() > end) throw new Error(`not within ${limit} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** A condition for `settle`: the camera is done, since no datagram came for so long. */
export function quietFor(ms) {
  let seen = -1
  let since = 0
  return ({ datagrams }) => {
    if (datagrams !== seen) since = performance.now()
    seen = datagrams
    return performance.now() - since > ms
  }
}

/** The identities of lib/stats.ts that do not hold; after close() of the stream. */
export function brokenSums(s) {
  const sums = {
    datagrams: [
      s.datagrams,
      s.accepted + s.duplicate + s.late + s.foreign + s.malformed + s.test + s.refused,
    ],
    accepted: [s.accepted, s.packetsReceived + s.packetsCut],
    packetsExpected: [s.packetsExpected, s.packetsReceived + s.packetsMissing],
    packetsMissing: [s.packetsMissing, s.missingRefused + s.missingExhausted + s.missingNotRequested],
    packetsLost: [s.packetsLost, s.packetsMissing + s.packetsResent],
    lost: [s.packetsLost, s.lostInKernel + s.lostInFragments + s.lostOnWire],
    blocksExpected: [
      s.blocksExpected,
      s.blocksComplete + s.blocksIncomplete + s.blocksNoSlot + s.blocksMissed,
    ],
    frames: [s.framesQueued, s.framesTaken + s.framesOverwritten + s.framesReturned],
  }
  const broken = Object.entries(sums).filter(([, [left, right]]) => left !== right)
  const negative = Object.entries(s).filter(([, value]) => !(value >= 0))
  return [
    ...broken.map(([name, [left, right]]) => `${name}: ${left} != ${right}`),
    ...negative.map(([name, value]) => `${name} is ${value}`),
  ]
}

/** What the simulator's own counters say against ours; only where every datagram that was sent could arrive. */
export function brokenAgainstSimulator(s, sim) {
  const sent = sim.packetsSent + sim.duplicates + sim.packetsResent + sim.resendRefused + sim.foreign
  const sums = {
    planned: [sim.packetsPlanned, sim.packetsSent + sim.packetsLost + sim.sendErrorsStream],
    datagrams: [sent, s.datagrams - s.test + s.kernelDrops + s.fragments],
    requests: [s.resendRequests, sim.resendCmd],
  }
  return Object.entries(sums)
    .filter(([, [left, right]]) => left !== right)
    .map(([name, [left, right]]) => `${name}: ${left} != ${right}`)
}

const RAMP = Buffer.from(Array.from({ length: 255 + 8192 }, (_, i) => i % 255))

/** Offset of the first byte that is not Aravis' diagonal ramp (Mono8, default gain and exposure), or -1. */
export function aravisWrongByte(data, width, height, blockId) {
  if (data.length !== width * height) return Math.min(data.length, width * height)
  for (let y = 0; y < height; y++) {
    const begin = (y + Number(blockId)) % 255
    const row = data.subarray(y * width, (y + 1) * width)
    if (RAMP.compare(row, 0, width, begin, begin + width) === 0) continue
    for (let x = 0; x < width; x++) if (row[x] !== RAMP[begin + x]) return y * width + x
  }
  return -1
}

/**
 * Of an incomplete frame: what is wrong with its missing ranges, its zeros, and the bytes outside of them. `right` is the image
 * that was sent.
 */
export function wrongAboutMissing(frame, right) {
  const { data, missing, packets } = frame
  if (data.length !== right.length) return `length ${data.length} instead of ${right.length}`
  // The trailer alone holds no bytes.
  const trailerOnly = missing.length === 0 && packets.expected - packets.received === 1
  if (missing.length === 0 && !trailerOnly) return 'incomplete without missing ranges'
  const restored = Buffer.from(data)
  let at = -1
  for (const { offset, length } of missing) {
    if (offset <= at || length <= 0 || offset + length > data.length)
      return `range ${offset}+${length} after ${at}`
    at = offset + length
    for (let i = offset; i < at; i++) if (data[i] !== 0) return `byte ${i} is missing and ${data[i]}`
    restored.set(right.subarray(offset, at), offset)
  }
  const wrong = restored.compare(right) === 0 ? -1 : restored.findIndex((byte, i) => byte !== right[i])
  return wrong < 0 ? '' : `byte ${wrong} arrived and is wrong`
}

/**
 * Opens `camera`, sets `features`, and reads `frames` frames, or, with `blocks`, everything until so many blocks are closed.
 * Reports what was wrong with them; `check` is 'aravis', or the seed of a simulator.
 */
export async function receive(gigewire, options) {
  const { camera: target, open, features = {}, stream: streamOptions = {}, frames, blocks, check } = options
  const { settle, limit = 20_000, onFrame, onStream } = options
  const camera = await gigewire.openCamera(target, open)
  const result = { ids: [], wrong: [], incomplete: [], events: {}, warnings: [], lost: [] }
  try {
    camera.on('lost', (event) => result.lost.push(event.reason))
    for (const [name, value] of Object.entries(features)) await camera.features.set(name, value)
    const stream = camera.stream({ buffers: 32, ...streamOptions, ...(frames && { frames }) })
    for (const name of ['incomplete', 'starved', 'missed', 'leak']) {
      result.events[name] = 0
      // One `missed` may tell of several blocks.
      stream.on(name, (event) => (result.events[name] += name === 'missed' ? event.blocks : 1))
    }
    stream.on('warning', (warning) => result.warnings.push(warning.code))
    await onStream?.(stream, camera)
    await stream.start()
    const reading = (async () => {
      for await (const frame of stream) {
        examine(gigewire, frame, check, result)
        await onFrame?.(frame, stream, camera)
        frame.release()
      }
    })()
    const stop = new AbortController()
    const enough = async () => {
      await until(
        () => {
          if (stop.signal.aborted) return true
          const s = stream.stats()
          return s.blocksExpected >= blocks
        },
        `${blocks} blocks closed`,
        limit,
      ).catch((error) => {
        result.timeout = `${error.message}: ${JSON.stringify(stream.stats())}`
      })
      // what was queued is read to the end, then the stream is closed
      if (settle) await until(() => settle(stream.stats()), 'settled', limit)
      await until(
        () =>
          stop.signal.aborted ||
          result.ids.length >= stream.stats().framesQueued - stream.stats().framesOverwritten,
        'frames read',
        limit,
      )
      await stream.close()
    }
    const closing = blocks === undefined ? undefined : enough()
    try {
      await reading
    } finally {
      stop.abort()
      await closing
    }
    result.stats = stream.stats()
    result.packetSize = stream.packetSize
    result.control = camera.controlStats()
    result.sums = brokenSums(result.stats)
  } finally {
    await camera.close()
  }
  return result
}

function examine(gigewire, frame, check, result) {
  const { blockId, complete, data, width, height, packets } = frame
  result.ids.push(Number(blockId))
  if (packets.received > packets.expected || complete !== (packets.received === packets.expected)) {
    result.wrong.push(
      `block ${blockId}: complete ${complete} with ${packets.received} of ${packets.expected}`,
    )
  }
  if (!complete) {
    result.incomplete.push(Number(blockId))
    return
  }
  if (check === undefined) return
  const wrong =
    check === 'aravis'
      ? aravisWrongByte(data, width, height, blockId)
      : gigewire.firstWrongByte(data, blockId, BigInt(check))
  if (wrong >= 0) result.wrong.push(`block ${blockId}: byte ${wrong}`)
  if (frame.missing.length > 0) result.wrong.push(`block ${blockId}: complete with missing ranges`)
}

/**
 * receive() with a simulator in the same process: it sends `blocks` blocks and stops. Adds the simulator's counters, taken when
 * nothing is on its way any more.
 */
export async function simulate(gigewire, options) {
  const { simulator: simulatorOptions = {}, blocks, features, prepare, ...rest } = options
  const seed = simulatorOptions.seed ?? 1
  const simulator = await gigewire.startSimulator({
    width: 320,
    height: 240,
    frameRate: 200,
    packetSize: 1500,
    ...simulatorOptions,
    seed,
  })
  try {
    await prepare?.(simulator)
    const result = await receive(gigewire, {
      camera: simulator.address,
      check: seed,
      settle: () => !simulator.stats().streaming,
      ...rest,
      stream: { packetSize: 1500, ...rest.stream },
      ...(rest.frames === undefined && {
        blocks,
        features: {
          AcquisitionMode: 'MultiFrame',
          AcquisitionFrameCount: options.send ?? blocks,
          ...features,
        },
      }),
      onStream: async (stream, camera) => {
        await rest.onStream?.(stream, camera, simulator)
      },
      onFrame: async (frame, stream, camera) => {
        await rest.onFrame?.(frame, stream, camera, simulator)
      },
    })
    result.simulator = simulator.stats()
    return result
  } finally {
    await simulator.stop()
  }
}

/** Warnings but for those that depend on what this machine's kernel grants. */
export function aboutTheCamera(warnings) {
  return warnings.filter((code) => code !== 'receive-buffer')
}
