import { bodyAdaptor } from './adaptor.ts'
import type { Adaptor } from './adaptor.ts'

export const networkAdaptors: readonly Adaptor[] = [
  // A name that is taken is always refused: clients no longer ask for the check, and older engines skip it then.
  bodyAdaptor('1.44', '/networks/create', (body) => {
    body['CheckDuplicate'] = true
  }),
]
