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

/** `web.1.<task>`, or `web.<node>.<task>` for a global service: also the container's name. */
export function taskName(task: Task): string {
  const place = task.slot > 0 ? String(task.slot) : task.nodeId
  const base = task.serviceName === '' ? 'task' : task.serviceName
  return `${base}.${place}.${task.meta.id}`
}

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
