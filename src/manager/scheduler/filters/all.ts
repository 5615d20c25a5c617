import { constraints } from './constraints.ts'
import type { Filter, FilterName } from './filter.ts'
import { hostPorts } from './host-ports.ts'
import { maxReplicas } from './max-replicas.ts'
import { platform } from './platform.ts'
import { plugins } from './plugins.ts'
import { ready } from './ready.ts'
import { resources } from './resources.ts'
import { taints } from './taints.ts'

/** In the order they are asked, which is Swarm's: the first that refuses a node is the reason given for it. */
export const filters: readonly Filter[] = [
  ready,
  resources,
  plugins,
  constraints,
  platform,
  hostPorts,
  maxReplicas,
  taints,
]

const byName = new Map(filters.map((filter) => [filter.name, filter]))

export function filterOf(name: FilterName): Filter {
  const filter = byName.get(name)
  if (filter === undefined) throw new Error(`there is no filter ${name}`)
  return filter
}
