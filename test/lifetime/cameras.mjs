// A process full of simulated cameras, which outlives the programs under test. Purpose: the exit matrix asks it afterwards what
// became of the control. Reads a JSON object a line, { address } for the state of one camera; answers a line each. First it
// prints what discovery knows of its cameras, by address.

import { createInterface } from 'node:readline'

const { entry, cameras } = JSON.parse(process.argv[2])
const { discover, startSimulator } = await import(entry)
const running = new Map()
for (const { address, afterwards: _, ...options } of cameras) {
  running.set(
    address,
    await startSimulator({ address, serial: address, width: 320, height: 240, ...options }),
  )
}
const found = await discover({
  addresses: [...running.keys()],
  until: (all) => new Set(all.map((c) => c.address)).size === cameras.length,
})
for (const { address, afterwards } of cameras) if (afterwards) running.get(address).setFaults(afterwards)
const answer = (value) =>
  process.stdout.write(`${JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? Number(v) : v))}\n`)
answer(Object.fromEntries(found.map((camera) => [camera.address, camera])))
for await (const line of createInterface({ input: process.stdin }))
  answer(running.get(JSON.parse(line).address).stats())
for (const simulator of running.values()) await simulator.stop()
