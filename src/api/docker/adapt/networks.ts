import type { Adaptor } from './adaptor.ts'
import { asObject } from './json.ts'

export const networkAdaptors: readonly Adaptor[] = [
  {
    // A name that is taken is always refused: clients no longer ask for the check, and older engines skip it then.
    since: '1.44',
    method: 'POST',
    path: '/networks/create',
    readsBody: true,
    async adapt(call, next) {
      const body = asObject(call.body)
      if (body !== undefined) body['CheckDuplicate'] = true
      return next()
    },
  },
]
