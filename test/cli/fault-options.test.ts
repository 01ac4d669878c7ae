// --fault key=value: what is read, and what is refused.

import { describe, expect, it } from 'vitest'
import { collectFaults } from '../../lib/cli/fault-options.js'
import type { SimulatorFaults } from '../../lib/simulator.js'

const parse = (...texts: string[]): SimulatorFaults | undefined =>
  texts.reduce<SimulatorFaults | undefined>((faults, text) => collectFaults(text, faults), undefined)

describe('--fault', () => {
  it('collects several', () => {
    expect(parse('loss=0.25', 'burstLength=7', 'onResend=true', 'packetSize=clamp')).toEqual({
      loss: 0.25,
      burstLength: 7,
      onResend: true,
      packetSize: 'clamp',
    })
  })

  it('reads percentages and keys in any case', () => {
    expect(parse('LOSS=1.5%', 'pathmtu=1500')).toEqual({ loss: 0.015, pathMtu: 1500 })
  })

  it('reads chosen packets', () => {
    expect(parse('drop=3:17', 'drop=*:leader', 'drop=0:trailer:2')?.drop).toEqual([
      { block: 3, packet: 17 },
      { packet: 0 },
      { block: 0, packet: 0xffffffff, count: 2 },
    ])
  })

  it.each([
    ['loss', /Name=value/],
    ['loss=', /probability/],
    ['loss=1.01', /probability/],
    ['loss=-0.1', /probability/],
    ['loss=much', /probability/],
    ['burstLength=1.5', /whole number/],
    ['burstLength=4294967296', /whole number/],
    ['onResend=yes', /true or false/],
    ['packetSize=huge', /one of/],
    ['drop=5', /BLOCK:PACKET/],
    ['drop=1:2:3:4', /BLOCK:PACKET/],
    ['los=1', /no fault 'los'/],
  ])('refuses %s', (text, message) => {
    expect(() => parse(text)).toThrow(message)
  })
})
