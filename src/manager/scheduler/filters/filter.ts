import type { Task } from '#model/task.ts'
import type { NodeInfo } from '../node-info.ts'

export type FilterName =
  'ready' | 'resources' | 'plugins' | 'constraints' | 'platform' | 'host-ports' | 'max-replicas' | 'taints'

/** One reason that keeps tasks off nodes. */
export interface Filter {
  readonly name: FilterName
  /**
   * All of a task that its answer depends on: tasks that agree on it get the same answer of a node, whatever else is
   * placed there. Absent: the answer may change with each task that the node is given.
   */
  dependsOn?(task: Task): unknown
  /** A test for tasks like this one, prepared once for the batch; undefined: the filter has nothing to say. */
  prepare(task: Task): ((node: NodeInfo) => boolean) | undefined
  /** In Swarm's words, for so many nodes refused. */
  explain(nodes: number): string
  /** What about this one node it is that does not suit; asked only of a node that was refused. */
  detail(node: NodeInfo, task: Task): string
}

export const onNodes = (nodes: number): string => `${String(nodes)} node${nodes === 1 ? '' : 's'}`
