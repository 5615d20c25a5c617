import { defined } from '#lib/defined.ts'
import { MureError } from '#lib/errors.ts'
import type { GenericResource, ResourceRequirements } from '#model/resources.ts'
import { omitEmpty } from './fields.ts'
import type { Fields } from './fields.ts'

/** Docker's `ResourceRequirements`. */
export function resourcesToModel(from: Fields): ResourceRequirements {
  const limits = from.object('Limits')
  const reservations = from.object('Reservations')
  return defined({
    limits:
      limits &&
      defined({
        cpuNano: limits.integer('NanoCPUs'),
        memoryBytes: limits.integer('MemoryBytes'),
        pids: limits.integer('Pids'),
      }),
    reservations:
      reservations &&
      defined({
        cpuNano: reservations.integer('NanoCPUs'),
        memoryBytes: reservations.integer('MemoryBytes'),
        generic: reservations.objects('GenericResources', genericToModel),
      }),
    swapBytes: from.integer('SwapBytes'),
    swappiness: from.integer('MemorySwappiness'),
  })
}

export function resourcesFromModel(resources: ResourceRequirements): object {
  const { limits, reservations } = resources
  return defined({
    Limits:
      limits &&
      defined({
        NanoCPUs: omitEmpty(limits.cpuNano),
        MemoryBytes: omitEmpty(limits.memoryBytes),
        Pids: omitEmpty(limits.pids),
      }),
    Reservations:
      reservations &&
      defined({
        NanoCPUs: omitEmpty(reservations.cpuNano),
        MemoryBytes: omitEmpty(reservations.memoryBytes),
        GenericResources: omitEmpty(reservations.generic?.map(genericFromModel)),
      }),
    SwapBytes: resources.swapBytes,
    MemorySwappiness: resources.swappiness,
  })
}

function genericToModel(from: Fields): GenericResource {
  const discrete = from.object('DiscreteResourceSpec')
  if (discrete !== undefined)
    return { kind: discrete.string('Kind') ?? '', count: discrete.integer('Value') ?? 0 }
  const named = from.object('NamedResourceSpec')
  if (named !== undefined) return { kind: named.string('Kind') ?? '', value: named.string('Value') ?? '' }
  throw new MureError('invalid', 'a generic resource is a DiscreteResourceSpec or a NamedResourceSpec')
}

export const genericFromModel = (resource: GenericResource): object =>
  'count' in resource
    ? { DiscreteResourceSpec: { Kind: resource.kind, Value: resource.count } }
    : { NamedResourceSpec: { Kind: resource.kind, Value: resource.value } }
