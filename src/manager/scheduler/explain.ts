import type { Task } from '#model/task.ts'
import { filterOf, filters } from './filters/all.ts'
import type { Filter, FilterName } from './filters/filter.ts'
import type { NodeInfo } from './node-info.ts'

/** The filters that have something to say about tasks like this one, ready to be asked of any node. */
export type FilterTest = { readonly filter: Filter; readonly passes: (node: NodeInfo) => boolean }

export const testsFor = (task: Task): FilterTest[] =>
  filters.flatMap((filter) => {
    const passes = filter.prepare(task)
    return passes === undefined ? [] : [{ filter, passes }]
  })

/** The first filter that refuses the node; undefined: none does. */
export const refusal = (node: NodeInfo, tests: readonly FilterTest[]): Filter | undefined =>
  tests.find((test) => !test.passes(node))?.filter

/** A filter, and how many nodes it refuses that none before it does. */
export interface Refusals {
  readonly filter: FilterName
  readonly nodes: number
}

/** What refuses most comes first. */
export function countRefusals(nodes: Iterable<NodeInfo>, tests: readonly FilterTest[]): Refusals[] {
  const refused = new Map<Filter, number>()
  for (const node of nodes) {
    const filter = refusal(node, tests)
    if (filter !== undefined) refused.set(filter, (refused.get(filter) ?? 0) + 1)
  }
  return [...refused]
    .sort((a, b) => b[1] - a[1])
    .map(([filter, count]) => ({ filter: filter.name, nodes: count }))
}

/** In Swarm's words: "insufficient resources on 3 nodes; 1 node not available for new tasks". */
export const sentence = (refusals: readonly Refusals[]): string =>
  refusals.map(({ filter, nodes }) => filterOf(filter).explain(nodes)).join('; ')
