import type { Filter } from './filter.ts'

export const maxReplicas: Filter = {
  name: 'max-replicas',
  prepare(task) {
    const limit = task.spec.placement?.maxReplicasPerNode ?? 0
    return limit === 0 ? undefined : (info) => info.tasksOf(task.serviceId) < limit
  },
  detail: (info, task) =>
    `it has ${String(info.tasksOf(task.serviceId))} of this service, and ${String(task.spec.placement?.maxReplicasPerNode ?? 0)} are allowed`,
  // Swarm's sentence has no number, and clients know it so.
  explain: () => 'max replicas per node limit exceed',
}
