import type { AdaptedCall, Adaptor } from './adaptor.ts'
import { asObject, asObjects, asText, isSet, mapJson, tooOld } from './json.ts'
import type { JsonObject } from './json.ts'

export const imageAdaptors: readonly Adaptor[] = [
  {
    // `shared-size`; an older engine knows the sizes only in its account of the disk.
    since: '1.42',
    method: 'GET',
    path: '/images/json',
    async adapt(call, next) {
      const answer = await next()
      if (!/^(1|true)$/i.test(call.query.get('shared-size') ?? '')) return answer
      const shared = await sharedSizes(call)
      return mapJson(answer, (images) =>
        asObjects(images).map((image) => ({ ...image, SharedSize: shared.get(image['Id']) ?? -1 })),
      )
    },
  },
  {
    // Images without a name have empty lists, no longer `<none>`.
    since: '1.43',
    method: 'GET',
    path: '/images/json',
    async adapt(_call, next) {
      return mapJson(await next(), (images) =>
        asObjects(images).map((image) => ({
          ...image,
          RepoTags: realNames(image['RepoTags']),
          RepoDigests: realNames(image['RepoDigests']),
        })),
      )
    },
  },
  {
    since: '1.44',
    method: 'GET',
    path: '/images/json',
    async adapt(_call, next) {
      return mapJson(await next(), (images) => asObjects(images).map(withoutVirtualSize))
    },
  },
  {
    since: '1.44',
    method: 'GET',
    path: '/images/{name:.*}/json',
    async adapt(_call, next) {
      return mapJson(await next(), (image) => withoutVirtualSize(asObject(image) ?? {}))
    },
  },
  {
    // The container that an image was made from is not told any more.
    since: '1.45',
    method: 'GET',
    path: '/images/{name:.*}/json',
    async adapt(_call, next) {
      return mapJson(await next(), (image) => {
        const { Container: _id, ContainerConfig: _config, ...rest } = asObject(image) ?? {}
        return rest
      })
    },
  },
  {
    // One platform of several; an older engine has one alone, and would not look whether it is that.
    since: '1.46',
    method: 'POST',
    path: '/images/{name:.*}/push',
    check(query) {
      if (isSet(query.get('platform'))) throw tooOld('platform', '1.46')
    },
  },
]

const realNames = (names: unknown): string[] =>
  Array.isArray(names) ? names.map(asText).filter((name) => !name.startsWith('<none>')) : []

/** 1.44: `Size` says the same. */
export function withoutVirtualSize(image: JsonObject): JsonObject {
  const { VirtualSize: _, ...rest } = image
  return rest
}

async function sharedSizes(call: AdaptedCall): Promise<Map<unknown, unknown>> {
  const { json } = await call.engine('GET', '/system/df')
  return new Map(asObjects(asObject(json)?.['Images']).map((image) => [image['Id'], image['SharedSize']]))
}
