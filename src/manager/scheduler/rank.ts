import type { SchedulingStrategy } from '#model/cluster.ts'
import type { ServiceId } from '#model/id.ts'
import type { NodeInfo } from './node-info.ts'

/** From so many failures of a service on a node within five minutes, other nodes come first. Swarm's number. */
const manyFailures = 5

/** Negative when `a` is the better node for one more task of the service. */
export type Rank = (a: NodeInfo, b: NodeInfo) => number

/** Swarm's order: fewest failures once they are many, then fewest tasks of this service, then fewest in all. */
export function rankFor(strategy: SchedulingStrategy, serviceId: ServiceId | ''): Rank {
  const byFailures: Rank = (a, b) => {
    const aFailures = a.recentFailures(serviceId)
    const bFailures = b.recentFailures(serviceId)
    return aFailures >= manyFailures || bFailures >= manyFailures ? aFailures - bFailures : 0
  }
  switch (strategy) {
    case 'spread':
      return (a, b) => byFailures(a, b) || a.tasksOf(serviceId) - b.tasksOf(serviceId) || a.tasks - b.tasks
    case 'binpack':
      return (a, b) =>
        byFailures(a, b) ||
        a.memoryBytesFree - b.memoryBytesFree ||
        a.cpuNanoFree - b.cpuNanoFree ||
        b.tasks - a.tasks
    case 'random':
      return byFailures
  }
}
