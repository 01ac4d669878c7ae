// lib/layout.ts is a second copy of native/core/path/control_block.h: the two must say the same.

import { expect, it } from 'vitest'
import { CONST, EVENT, HEADER, SLOT, STATS } from '../../lib/layout.js'
import { native } from '../../lib/native.js'

it('is the layout of the binary: every offset, constant and counter', () => {
  expect({ header: HEADER, slot: SLOT, event: EVENT, stats: STATS, constants: CONST }).toEqual(native.layout)
})
