import type { Network } from '#model/network.ts'
import { networkLabel } from '../engine-networks.ts'
import { matches, matchesLabels, parseFilters } from '../filters.ts'
import { pruneBefore } from '../prune-time.ts'

/** What the filters look at. */
interface Filterable {
  readonly Name: string
  readonly Id: string
  readonly Driver: string
  readonly Scope: string
  readonly Ingress?: boolean
  readonly Labels: Readonly<Record<string, string>> | null
}

const listFilters = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'] as const

/** The engine has judged the filters before: what is here is well formed. */
export function networkFilter(text: string | null): (network: object) => boolean {
  const filters = parseFilters(text, listFilters)
  return (object) => {
    const network = object as Filterable
    return (
      matches(filters, 'name', (name) => isNamed(network.Name, name)) &&
      matches(filters, 'id', (id) => network.Id.startsWith(id)) &&
      matches(filters, 'driver', (driver) => network.Driver === driver) &&
      matches(filters, 'scope', (scope) => network.Scope === scope) &&
      matches(filters, 'type', (type) => (type === 'custom') !== (network.Ingress === true)) &&
      matchesLabels(filters, 'label', network.Labels ?? {})
    )
  }
}

/** A part of a name, or, as with the engine's own networks, an expression that it meets: `^web$`. */
function isNamed(name: string, wanted: string): boolean {
  if (name.includes(wanted)) return true
  try {
    return new RegExp(wanted).test(name)
  } catch {
    return false
  }
}

/** `own`: the filters for the engine, which is to leave alone what it has of the cluster's networks. */
export function pruneFilter(text: string | null): {
  readonly own: string
  readonly passes: (network: Network) => boolean
} {
  const filters = parseFilters(text, ['label', 'label!', 'until'])
  const own = {
    ...Object.fromEntries(filters),
    'label!': [...(filters.get('label!') ?? []), networkLabel],
  }
  const until = filters.get('until')?.[0]
  const before = until === undefined ? Infinity : pruneBefore(until, Date.now())
  return {
    own: JSON.stringify(own),
    passes: ({ meta, spec }) =>
      meta.createdAt < before &&
      matchesLabels(filters, 'label', spec.labels) &&
      !(filters.get('label!') ?? []).some((wanted) =>
        matchesLabels(new Map([['label', [wanted]]]), 'label', spec.labels),
      ),
  }
}
