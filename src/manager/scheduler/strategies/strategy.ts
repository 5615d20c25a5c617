import type { Task } from '#model/task.ts'
import type { NodeInfo } from '../node-info.ts'

/** What makes a node the better one, most telling first; the lesser number wins. */
export type Score = readonly number[]

/** How a node looks to one more task. Asked again after each placement on the node. */
export type Strategy = (node: NodeInfo, task: Task) => Score

export function compareScores(a: Score, b: Score): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
