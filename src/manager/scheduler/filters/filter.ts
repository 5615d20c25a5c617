import type { Task } from '#model/task.ts'
import type { NodeInfo } from '../node-info.ts'

/** One reason that keeps tasks off nodes. */
export interface Filter {
  readonly name: string
  /** A test for tasks like this one, prepared once for the batch; undefined: the filter has nothing to say. */
  prepare(task: Task): ((node: NodeInfo) => boolean) | undefined
  /** In Swarm's words, for so many nodes refused. */
  explain(nodes: number): string
}

export const onNodes = (nodes: number): string => `${String(nodes)} node${nodes === 1 ? '' : 's'}`
