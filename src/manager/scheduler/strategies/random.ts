import type { Strategy } from './strategy.ts'

const precision = 2 ** 32

/**
 * Each task on any node, whatever runs there. A node's score is the moment of its next turn, and after each turn comes
 * a wait drawn from one exponential distribution: of such nodes each is as likely as any other to be next, always.
 */
export const random: Strategy = {
  score: (_node, _task, chance, before = [0]) => [
    (before[0] ?? 0) - Math.log((chance.below(precision) + 1) / precision),
  ],
  describe: (node) => `${String(node.tasks)} in all`,
}
