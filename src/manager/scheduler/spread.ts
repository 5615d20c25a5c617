import { Heap } from '#lib/heap.ts'
import type { Node } from '#model/node.ts'
import { Candidates } from './candidates.ts'
import type { RankBy } from './candidates.ts'
import type { NodeInfo } from './node-info.ts'

/** The value of a spread descriptor on a node: `node.labels.zone`. Nodes without it form a group of their own. */
export function spreadValue(node: Node, descriptor: string): string {
  const lower = descriptor.toLowerCase()
  if (lower.startsWith('node.labels.')) return node.spec.labels[descriptor.slice('node.labels.'.length)] ?? ''
  if (lower.startsWith('engine.labels.'))
    return node.status.description?.engine.labels[descriptor.slice('engine.labels.'.length)] ?? ''
  switch (lower) {
    case 'node.hostname':
      return node.meta.name
    case 'node.id':
      return node.meta.id
    case 'node.role':
      return node.status.role
    default:
      return ''
  }
}

/** A group of nodes that have a value in common: it holds so many tasks of the service, and can take another or not. */
interface Branch {
  tasks: number
  readonly tie: number
  readonly take: (suits: (node: NodeInfo) => boolean, place: (node: NodeInfo) => void) => boolean
}

/**
 * Candidates in groups, one level for each preference: a task goes to the group with the fewest, and within it to the
 * best node. A group without room is not asked again.
 */
export function spreadOver(
  nodes: readonly NodeInfo[],
  descriptors: readonly string[],
  by: RankBy,
): Pick<Branch, 'take'> {
  const [descriptor, ...rest] = descriptors
  if (descriptor === undefined) return new Candidates(nodes, by)
  const groups = Map.groupBy(nodes, (node) => spreadValue(node.node, descriptor))
  const branches = new Heap<Branch>(
    [...groups.values()].map((group) => {
      const inner = spreadOver(group, rest, by)
      return {
        tasks: group.reduce((sum, node) => sum + node.tasksOf(by.like.serviceId), 0),
        tie: by.random.below(2 ** 32),
        take: (suits, place) => inner.take(suits, place),
      }
    }),
    (a, b) => a.tasks - b.tasks || a.tie - b.tie,
  )
  return {
    take(suits, place) {
      for (let least = branches.peek(); least !== undefined; least = branches.peek()) {
        if (!least.take(suits, place)) {
          branches.pop()
          continue
        }
        least.tasks += 1
        branches.settleTop()
        return true
      }
      return false
    },
  }
}
