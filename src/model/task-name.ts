import type { Task } from './task.ts'

/** `web.1.<task>`, or `web.<node>.<task>` for a global service: also the container's name. */
export function taskName(task: Task): string {
  const place = task.slot > 0 ? String(task.slot) : task.nodeId
  const base = task.serviceName === '' ? 'task' : task.serviceName
  return `${base}.${place}.${task.meta.id}`
}
