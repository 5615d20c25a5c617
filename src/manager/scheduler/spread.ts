import type { Node } from '#model/node.ts'
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

/** Nodes grouped by their values, one level for each preference; each group knows how many tasks it holds. */
export interface SpreadGroup {
  tasks: number
  readonly nodes: NodeInfo[]
  readonly groups: Map<string, SpreadGroup>
}

/** `tasksOf`: how many tasks of the service a node has. */
export function spreadTree(
  nodes: readonly NodeInfo[],
  descriptors: readonly string[],
  tasksOf: (node: NodeInfo) => number,
): SpreadGroup {
  const root: SpreadGroup = { tasks: 0, nodes: [], groups: new Map() }
  for (const node of nodes) {
    const count = tasksOf(node)
    let group = root
    group.tasks += count
    for (const descriptor of descriptors) {
      const value = spreadValue(node.node, descriptor)
      let next = group.groups.get(value)
      if (next === undefined) {
        next = { tasks: 0, nodes: [], groups: new Map() }
        group.groups.set(value, next)
      }
      next.tasks += count
      group = next
    }
    group.nodes.push(node)
  }
  return root
}

/** The leaf that is next by preference: at each level the group with the fewest tasks that still has a node. Counts the task there. */
export function takeFromTree(
  root: SpreadGroup,
  choose: (nodes: NodeInfo[]) => NodeInfo | undefined,
): NodeInfo | undefined {
  if (root.groups.size === 0) {
    const node = choose(root.nodes)
    if (node !== undefined) root.tasks += 1
    return node
  }
  for (const group of [...root.groups.values()].sort((a, b) => a.tasks - b.tasks)) {
    const node = takeFromTree(group, choose)
    if (node === undefined) continue
    root.tasks += 1
    return node
  }
  return undefined
}
