import { taskName } from '#model/task-name.ts'
import type { Task } from '#model/task.ts'

/** The labels by which Swarm marks its containers: tools look for them, and we find our own by them after a restart. */
export const labels = {
  nodeId: 'com.docker.swarm.node.id',
  serviceId: 'com.docker.swarm.service.id',
  serviceName: 'com.docker.swarm.service.name',
  task: 'com.docker.swarm.task',
  taskId: 'com.docker.swarm.task.id',
  taskName: 'com.docker.swarm.task.name',
  /** Ours: containers of another cluster's tasks on the same engine are not our business. */
  clusterId: 'mure.cluster.id',
} as const

/** What the engine is asked to list: containers of this node in this cluster, and no others. */
export const ownLabels = (clusterId: string, nodeId: string): string[] => [
  `${labels.clusterId}=${clusterId}`,
  `${labels.nodeId}=${nodeId}`,
]

export function taskLabels(task: Task, clusterId: string): Record<string, string> {
  return {
    [labels.nodeId]: task.nodeId,
    [labels.serviceId]: task.serviceId,
    [labels.serviceName]: task.serviceName,
    [labels.task]: '',
    [labels.taskId]: task.meta.id,
    [labels.taskName]: taskName(task),
    [labels.clusterId]: clusterId,
  }
}
