import type { SchedulingStrategy } from '#model/cluster.ts'
import type { Strategy } from './strategy.ts'

/** Swarm's order: the fewest tasks of this service, then the fewest of all. Reservations filter, they do not rank. */
const spread: Strategy = (node, task) => [node.tasksOf(task.serviceId), node.tasks]

/** The fullest node that still has room. */
const binpack: Strategy = (node) => [node.memoryBytesFree, node.cpuNanoFree, -node.tasks]

const random: Strategy = () => []

export const strategies: Readonly<Record<SchedulingStrategy, Strategy>> = { spread, binpack, random }
