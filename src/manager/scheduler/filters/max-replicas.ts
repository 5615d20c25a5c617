import type { Filter } from './filter.ts'

export const maxReplicas: Filter = {
  name: 'max-replicas',
  prepare(task) {
    const limit = task.spec.placement?.maxReplicasPerNode ?? 0
    return limit === 0 ? undefined : (info) => info.tasksOf(task.serviceId) < limit
  },
  // Swarm's sentence has no number, and clients know it so.
  explain: () => 'max replicas per node limit exceed',
}
