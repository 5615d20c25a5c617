import { MureError } from '#lib/errors.ts'
import type { Task } from '#model/task.ts'
import { taskName } from './labels.ts'

export interface PlaceholderNode {
  readonly id: string
  readonly hostname: string
  readonly architecture: string
  readonly os: string
}

/**
 * Fills in `{{.Node.Hostname}}` and its like, in the places where Docker does: hostname, environment, mounts.
 * Go's template language beyond plain fields and `index` of labels is refused rather than half understood.
 * @see https://docs.docker.com/reference/cli/docker/service/create/#create-services-using-templates
 */
export function expandPlaceholders(text: string, task: Task, node: PlaceholderNode): string {
  if (!text.includes('{{')) return text
  return text.replace(/\{\{-?\s*(.*?)\s*-?\}\}/g, (_, expression: string) => valueOf(expression, task, node))
}

function valueOf(expression: string, task: Task, node: PlaceholderNode): string {
  switch (expression) {
    case '.Service.ID':
      return task.serviceId
    case '.Service.Name':
      return task.serviceName
    case '.Node.ID':
      return node.id
    case '.Node.Hostname':
      return node.hostname
    case '.Node.Platform.Architecture':
      return node.architecture
    case '.Node.Platform.OS':
      return node.os
    case '.Task.ID':
      return task.meta.id
    case '.Task.Name':
      return taskName(task)
    case '.Task.Slot':
      return task.slot > 0 ? String(task.slot) : task.nodeId
  }
  const label = /^index \.Service\.Labels "([^"]*)"$/.exec(expression)?.[1]
  if (label !== undefined) return task.serviceLabels[label] ?? ''
  throw new MureError('invalid', `the template {{${expression}}} is not one that tasks offer`)
}
