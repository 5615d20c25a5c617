import type { Instant } from '#lib/clock.ts'
import { Heap } from '#lib/heap.ts'
import type { Random } from '#lib/random.ts'
import type { Node } from '#model/node.ts'
import type { Task } from '#model/task.ts'
import { isTolerated } from '#model/toleration.ts'
import type { NodeInfo } from './node-info.ts'
import { compareScores } from './strategies/strategy.ts'
import type { Score, Strategy } from './strategies/strategy.ts'

/** From so many failures within five minutes on, a node comes after all others. Swarm's number. */
const manyFailures = 5

export interface RankBy {
  readonly strategy: Strategy
  readonly like: Task
  readonly now: Instant
  readonly random: Random
}

interface Candidate {
  readonly node: NodeInfo
  /** What no placement changes: failures of such tasks, taints one would rather avoid. */
  readonly reluctance: number
  score: Score
  /** Of equals, any: drawn once for each batch. */
  readonly tie: number
}

/** Nodes for tasks that are alike, the best on top. Taking one costs the logarithm of how many there are. */
export class Candidates {
  readonly #heap: Heap<Candidate>
  readonly #by: RankBy

  constructor(nodes: readonly NodeInfo[], by: RankBy) {
    this.#by = by
    this.#heap = new Heap(
      nodes.map((node) => this.#judge(node)),
      better,
    )
  }

  /** The best node that still suits. A node that has filled up is not asked again. */
  take(suits: (node: NodeInfo) => boolean, place: (node: NodeInfo) => void): boolean {
    for (let best = this.#heap.peek(); best !== undefined; best = this.#heap.peek()) {
      if (!suits(best.node)) {
        this.#heap.pop()
        continue
      }
      place(best.node)
      best.score = this.#by.strategy.score(best.node, this.#by.like, this.#by.random, best.score)
      this.#heap.settleTop()
      return true
    }
    return false
  }

  #judge(node: NodeInfo): Candidate {
    const { strategy, like, random } = this.#by
    return {
      node,
      reluctance: reluctanceOf(node, this.#by),
      score: strategy.score(node, like, random),
      tie: random.below(2 ** 32),
    }
  }
}

const better = (a: Candidate, b: Candidate): number =>
  a.reluctance - b.reluctance || compareScores(a.score, b.score) || a.tie - b.tie

/** How much rather the node is avoided; 0: no reason to. */
export function reluctanceOf(node: NodeInfo, { like, now }: Pick<RankBy, 'like' | 'now'>): number {
  const failures = node.recentFailures(like, now)
  return (failures >= manyFailures ? failures : 0) + avoided(node.node, like)
}

function avoided(node: Node, like: Task): number {
  if (node.spec.taints === undefined) return 0
  const tolerations = like.spec.placement?.tolerations ?? []
  return node.spec.taints.filter(
    (taint) => taint.effect === 'prefer-no-schedule' && !isTolerated(taint, tolerations),
  ).length
}
