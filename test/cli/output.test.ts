// What the command line makes of the library's errors.

import { expect, it } from 'vitest'
import { errorFacts } from '../../lib/cli/output.js'
import { GigeError, hintFor } from '../../lib/errors.js'

it('hints name flags instead of options that only a program can set', () => {
  const hint = (text: string) => errorFacts(new GigeError('ERR_GIGE_STATUS', '', { hint: text })).hint
  expect(hint(hintFor('ERR_GIGE_ACCESS_DENIED'))).toMatch(/Close it.*`gigewire stream .*--access monitor/)
  expect(hint(hintFor('ERR_GIGE_ACCESS_DENIED'))).not.toContain('{')
  expect(hint('pin the stream port with { streamPort } and allow that port')).toBe(
    'pin the stream port with --stream-port and allow that port',
  )
  expect(hint(hintFor('ERR_GIGE_CONTROL_LOST'))).toMatch(/took it\. Run the command again when it is back\.$/)
  expect(hint(hintFor('ERR_GIGE_STATUS'))).toBe('The camera refused the access.')
  expect(hint('any other')).toBe('any other')
})
