import { MureError } from '#lib/errors.ts'
import type { Adaptor } from './adaptor.ts'
import { withoutVirtualSize } from './images.ts'
import { asObject, asObjects, asText, mapJson } from './json.ts'
import type { JsonObject } from './json.ts'

const partOfType: Readonly<Record<string, readonly string[]>> = {
  container: ['Containers'],
  image: ['Images', 'LayersSize'],
  volume: ['Volumes'],
  'build-cache': ['BuildCache'],
}

export const systemAdaptors: readonly Adaptor[] = [
  {
    // `type` chooses what is counted; `BuilderSize` is gone; a build cache record names all its parents.
    since: '1.42',
    method: 'GET',
    path: '/system/df',
    async adapt(call, next) {
      const types = call.query.getAll('type')
      for (const type of types)
        if (!(type in partOfType)) throw new MureError('invalid', `unknown object type: ${type}`)
      const wanted = types.length === 0 ? undefined : new Set(types.flatMap((type) => partOfType[type] ?? []))
      return mapJson(await next(), (json) => {
        const { BuilderSize: _, ...usage } = asObject(json) ?? {}
        const kept = Object.entries(usage).filter(([part]) => wanted === undefined || wanted.has(part))
        return Object.fromEntries(
          kept.map(([part, value]) => [
            part,
            part === 'BuildCache' && Array.isArray(value) ? asObjects(value).map(withParents) : value,
          ]),
        )
      })
    },
  },
  {
    since: '1.44',
    method: 'GET',
    path: '/system/df',
    async adapt(_call, next) {
      return mapJson(await next(), (json) => {
        const usage = asObject(json) ?? {}
        return Array.isArray(usage['Images'])
          ? { ...usage, Images: asObjects(usage['Images']).map(withoutVirtualSize) }
          : usage
      })
    },
  },
]

function withParents(record: JsonObject): JsonObject {
  const { Parent, ...rest } = record
  return asText(Parent) === '' ? rest : { ...rest, Parents: [Parent] }
}
