// What a camera's features say of its acquisition: why it would send nothing, and how long a frame may take.

import { expectedFrameRate } from '../frame-rate.js'
import type { NodeMap } from '../genapi/index.js'
import type { CameraFacts, StreamFacts } from './facts.js'

export interface AcquisitionFacts {
  camera: Pick<CameraFacts, 'triggerMode' | 'triggerSource'>
  stream: Pick<StreamFacts, 'acquiring' | 'frameRate'>
}

const NAMES = ['TriggerMode', 'TriggerSource', 'AcquisitionStatusSelector', 'AcquisitionStatus']

/** Of what a camera has no feature for, or does not tell, nothing is said. Nothing is written: a selector stays where it is. */
export async function acquisitionFacts(features: NodeMap): Promise<AcquisitionFacts> {
  const known = NAMES.filter((name) => features.has(name))
  const values = await features.getMany(known, { ignoreCache: true }).catch(() => undefined)
  const value = (name: string) => {
    const outcome = values?.get(name)
    return outcome && 'value' in outcome ? outcome.value : undefined
  }
  const [mode, source] = [value('TriggerMode'), value('TriggerSource')]
  const selected = value('AcquisitionStatusSelector') ?? 'AcquisitionActive'
  const acquiring = selected === 'AcquisitionActive' ? value('AcquisitionStatus') : undefined
  const frameRate = await expectedFrameRate(features).catch(() => undefined)
  return {
    camera: {
      ...(mode !== undefined && { triggerMode: String(mode) }),
      ...(source !== undefined && { triggerSource: String(source) }),
    },
    stream: {
      ...(typeof acquiring === 'boolean' && { acquiring }),
      ...(frameRate !== undefined && { frameRate }),
    },
  }
}
