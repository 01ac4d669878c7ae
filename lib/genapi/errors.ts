// The two kinds of failure of this folder: a feature that cannot do what was asked, now or ever, and a
// description that does not make sense. Both are GigeErrors; these helpers keep their details uniform.

import { GigeError } from '../errors.js'

/** Why a feature refused; `details.reason` of every ERR_GIGE_FEATURE. */
export type FeatureReason =
  | 'unknown'
  | 'not-implemented'
  | 'not-available'
  | 'read-only'
  | 'write-only'
  | 'out-of-range'
  | 'bad-increment'
  | 'no-such-entry'
  | 'type'
  | 'formula'
  | 'device-error'
  | 'differs'

/** An ERR_GIGE_FEATURE: `feature` and `reason` always, further details as the reason needs. */
export function featureError(
  feature: string,
  reason: FeatureReason,
  message: string,
  hint = '',
  details: Record<string, unknown> = {},
): GigeError {
  return new GigeError('ERR_GIGE_FEATURE', message, { hint, details: { feature, reason, ...details } })
}

/** An ERR_GIGE_DESCRIPTION: the camera's own description is at fault, not the caller. */
export function descriptionError(
  message: string,
  details: Record<string, unknown> = {},
  hint = 'The description comes from the camera: report this with the output of "gigewire info" to its maker or to us.',
): GigeError {
  return new GigeError('ERR_GIGE_DESCRIPTION', message, { hint, details })
}
