import type { Strategy } from './strategy.ts'

/** Swarm's order: the fewest tasks of this service, then the fewest of all. Reservations filter, they do not rank. */
export const spread: Strategy = {
  score: (node, task) => [node.tasksOf(task.serviceId), node.tasks],
  describe: (node, task) =>
    `${String(node.tasksOf(task.serviceId))} of this service, ${String(node.tasks)} in all`,
}
