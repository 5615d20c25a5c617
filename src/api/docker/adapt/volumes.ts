import { MureError } from '#lib/errors.ts'
import { bodyAdaptor } from './adaptor.ts'
import type { AdaptedCall, Adaptor, EngineAnswer } from './adaptor.ts'
import { asObject, asObjects, asText, isSet, tooOld } from './json.ts'
import type { JsonObject } from './json.ts'

type PruneFilters = Readonly<Record<string, readonly string[]>>

/** 1.42: pruning spares volumes that have a name, unless `all` is set. An older engine would remove them. */
export const volumeAdaptors: readonly Adaptor[] = [
  bodyAdaptor('1.42', '/volumes/create', (body) => {
    if (isSet(body['ClusterVolumeSpec'])) throw tooOld('cluster volume', '1.42')
  }),
  {
    since: '1.42',
    method: 'POST',
    path: '/volumes/prune',
    async adapt(call, next) {
      const { all, ...filters } = parseFilters(call.query.get('filters') ?? '')
      if (all?.some((value) => /^(1|t|true)$/i.test(value)) !== true) return pruneAnonymous(call, filters)
      call.query.set('filters', JSON.stringify(filters))
      return next()
    },
  },
]

/** Both of Docker's spellings: lists, and objects whose keys are the values. */
function parseFilters(text: string): PruneFilters {
  if (text === '') return {}
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw new MureError('invalid', 'invalid filter', { cause: error })
  }
  return Object.fromEntries(
    Object.entries(asObject(parsed) ?? {}).map(([name, values]) => [
      name,
      Array.isArray(values) ? values.map(String) : Object.keys(asObject(values) ?? {}),
    ]),
  )
}

async function pruneAnonymous(call: AdaptedCall, filters: PruneFilters): Promise<EngineAnswer> {
  const unknown = Object.keys(filters).find((name) => name !== 'label' && name !== 'label!')
  if (unknown !== undefined) throw new MureError('invalid', `invalid filter '${unknown}'`)
  const listed = await call.engine(
    'GET',
    `/volumes?filters=${encodeURIComponent(JSON.stringify({ dangling: ['true'] }))}`,
  )
  if (listed.status !== 200) return listed
  const sizes = await volumeSizes(call)
  const removed: string[] = []
  let reclaimedBytes = 0
  for (const volume of asObjects(asObject(listed.json)?.['Volumes'])) {
    const name = asText(volume['Name'])
    if (!isAnonymous(volume) || !passes(asObject(volume['Labels']) ?? {}, filters)) continue
    // One that was taken into use in between is left alone, as the engine itself does.
    if ((await call.engine('DELETE', `/volumes/${encodeURIComponent(name)}`)).status !== 204) continue
    removed.push(name)
    reclaimedBytes += sizes.get(name) ?? 0
  }
  return { status: 200, json: { VolumesDeleted: removed, SpaceReclaimed: reclaimedBytes } }
}

/** The engine names those that it was given no name for by 64 hexadecimal digits; only newer ones label them too. */
export const isAnonymous = (volume: JsonObject): boolean =>
  volume['Driver'] === 'local' && /^[0-9a-f]{64}$/.test(asText(volume['Name']))

function passes(labels: JsonObject, filters: PruneFilters): boolean {
  const has = (wanted: string) => {
    const at = wanted.indexOf('=')
    return at < 0 ? wanted in labels : labels[wanted.slice(0, at)] === wanted.slice(at + 1)
  }
  return (filters['label'] ?? []).every(has) && !(filters['label!'] ?? []).some(has)
}

async function volumeSizes(call: AdaptedCall): Promise<Map<string, number>> {
  const { status, json } = await call.engine('GET', '/system/df')
  if (status !== 200) return new Map()
  return new Map(
    asObjects(asObject(json)?.['Volumes']).map((volume) => {
      const size = asObject(volume['UsageData'])?.['Size']
      return [asText(volume['Name']), typeof size === 'number' && size > 0 ? size : 0]
    }),
  )
}
