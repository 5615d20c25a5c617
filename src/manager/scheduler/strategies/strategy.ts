import type { Random } from '#lib/random.ts'
import type { Task } from '#model/task.ts'
import type { NodeInfo } from '../node-info.ts'

/** What makes a node the better one, most telling first; the lesser number wins. */
export type Score = readonly number[]

export interface Strategy {
  /** How a node looks to one more task. Asked again after each placement on the node, with what it said `before`. */
  score(node: NodeInfo, task: Task, random: Random, before?: Score): Score
  /** The same for people. */
  describe(node: NodeInfo, task: Task): string
}

export function compareScores(a: Score, b: Score): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
