// What a camera description costs: a generated one of 1.3 MB and 3000 nodes from its zipped bytes to a node map that answers, and all
// its features in round trips. Each round of the first part is a process of its own that is given the bytes, since a program reads a
// description once, with code that has not run before; the second part is the same process doing it again.
//
//   node bench/genapi.mjs [rounds]
//
// Figures of one run on one machine.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { deflateRawSync } from 'node:zlib'
import { createNodeMap, loadDescription } from '../dist/genapi/index.js'
import {
  generatedDescription,
  generatedFeatures,
  generatedMemory,
} from '../test/helpers/generated-description.mjs'

const self = fileURLToPath(import.meta.url)

/** A big-endian camera that counts requests; 135 registers or 512 bytes go into one. */
class CountingPort {
  requests = 0
  registersAreBytes = true
  #memory = generatedMemory()
  #view = new DataView(this.#memory.buffer)

  async read(address, length) {
    this.requests += Math.ceil(length / 512)
    return this.#memory.slice(address, address + length)
  }
  async write(address, data) {
    this.requests++
    this.#memory.set(data, address)
  }
  async readRegister(address) {
    this.requests++
    return this.#view.getUint32(address)
  }
  async readRegisters(addresses) {
    this.requests += Math.ceil(addresses.length / 135)
    return addresses.map((address) => this.#view.getUint32(address))
  }
}

const archive = () => {
  const xml = Buffer.from(generatedDescription())
  return { xml, zip: zipOf(xml) }
}

function zipOf(data) {
  const [packed, name] = [deflateRawSync(data), Buffer.from('camera.xml')]
  const [local, entry, end] = [Buffer.alloc(30), Buffer.alloc(46), Buffer.alloc(22)]
  local.writeUInt32LE(0x04034b50, 0)
  local.writeUInt16LE(8, 8)
  local.writeUInt16LE(name.length, 26)
  entry.writeUInt32LE(0x02014b50, 0)
  entry.writeUInt16LE(8, 10)
  entry.writeUInt32LE(packed.length, 20)
  entry.writeUInt16LE(name.length, 28)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(local.length + name.length + packed.length, 16)
  return Buffer.concat([local, name, packed, entry, name, end])
}

/** From bytes to the first value of a feature that needs formulas and conditions. */
async function ready(zip) {
  const before = performance.now()
  const map = createNodeMap(loadDescription(zip).xml, new CountingPort())
  const parsed = performance.now()
  await map.get('Level7')
  return { parse: parsed - before, first: performance.now() - before, map }
}

const median = (list) => list.sort((a, b) => a - b)[list.length >> 1]
const ms = (value) => `${value.toFixed(1)} ms`

if (process.argv[2] === '--once') {
  const { parse, first } = await ready(readFileSync(0))
  console.log(JSON.stringify({ parse, first }))
} else {
  const rounds = Number(process.argv[2] ?? 11)
  const { xml, zip } = archive()
  const runs = Array.from({ length: rounds }, () => {
    const { stdout } = spawnSync(process.execPath, [self, '--once'], { encoding: 'utf8', input: zip })
    return JSON.parse(stdout)
  })
  console.log(`${xml.length} bytes of XML, ${zip.length} zipped; medians of ${rounds}`)
  console.log(`parsed, for the first time in a process: ${ms(median(runs.map(({ parse }) => parse)))}`)
  console.log(`and the first feature read: ${ms(median(runs.map(({ first }) => first)))}`)
  const warm = []
  for (let i = 0; i < rounds; i++) warm.push((await ready(zip)).parse)
  console.log(`parsed again in the same process: ${ms(median(warm))}`)

  const port = new CountingPort()
  const map = createNodeMap(loadDescription(zip).xml, port)
  const features = generatedFeatures()
  for (const which of ['first', 'second']) {
    port.requests = 0
    const before = performance.now()
    await map.getMany(features)
    const took = performance.now() - before
    console.log(
      `${features.length} features read for the ${which} time: ${port.requests} requests, ${ms(took)} of computing`,
    )
  }
}
