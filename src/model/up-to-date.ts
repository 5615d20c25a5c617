import { meetsConstraints, parseConstraints } from './constraint.ts'
import { presentTemplate, withoutVersions } from './file-version.ts'
import { isRouted } from './ingress/declared.ts'
import type { Node } from './node.ts'
import type { Service, TaskTemplate } from './service.ts'
import type { Task } from './task.ts'
import { compareStates } from './task-state.ts'

/**
 * A task is of its service's present spec when nothing that concerns it has changed since it was made. Two of
 * Swarm's exceptions: where the placement alone has changed, a task stays if its node (when given) meets the new
 * constraints; where only the credentials for the pull have, a task that has its image stays.
 */
export function isUpToDate(task: Task, service: Service, node?: Node): boolean {
  if (task.serviceGeneration === service.meta.generation) return true
  const { template, endpoint } = service.spec
  if (!sameValue(task.ports, endpoint?.ports ?? none)) return false
  // A label for the HTTP ingress is as a port that is published: tasks are made anew to be reachable.
  if (isRouted(service.spec.labels, template) && !isRouted(task.serviceLabels, task.spec)) return false
  switch (differenceOf(presentTemplate(task), template)) {
    case 'none':
      return true
    case 'pull':
      return (
        compareStates(task.status.state, 'ready') >= 0 && compareStates(task.status.state, 'running') <= 0
      )
    case 'placement':
      return (
        node !== undefined &&
        meetsConstraints(node, parseConstraints(template.placement?.constraints ?? none))
      )
    case 'files':
    case 'other':
      return false
  }
}

/** All that the task lacks is newer versions of its secrets and configs. */
export const lacksFilesAlone = (task: Task, service: Service): boolean =>
  sameValue(task.ports, service.spec.endpoint?.ports ?? none) &&
  differenceOf(presentTemplate(task), service.spec.template) === 'files'

/** `files`: other versions of the same secrets and configs. */
export type TemplateDifference = 'none' | 'pull' | 'placement' | 'files' | 'other'

const none: readonly never[] = []

/** Tasks of one generation share their template, so a pair of templates is compared once for all of them. */
const known = new WeakMap<TaskTemplate, WeakMap<TaskTemplate, TemplateDifference>>()

export function differenceOf(before: TaskTemplate, after: TaskTemplate): TemplateDifference {
  if (before === after) return 'none'
  let row = known.get(before)
  if (row === undefined) known.set(before, (row = new WeakMap()))
  let difference = row.get(after)
  if (difference === undefined) row.set(after, (difference = compared(before, after)))
  return difference
}

function compared(before: TaskTemplate, after: TaskTemplate): TemplateDifference {
  if (sameValue(before, after)) return 'none'
  if (sameValue(withoutPull(before), withoutPull(after))) return 'pull'
  if (sameValue(withoutVersions(before), withoutVersions(after))) return 'files'
  const { placement: _before, ...restBefore } = before
  const { placement: _after, ...restAfter } = after
  return sameValue(restBefore, restAfter) ? 'placement' : 'other'
}

const withoutPull = (template: TaskTemplate): TaskTemplate => ({
  ...template,
  containers: template.containers.map(({ registryAuth: _, ...container }) => container),
})

const sameValue = (a: object, b: object): boolean => a === b || textOf(a) === textOf(b)

const textOf = (value: object): string => JSON.stringify(sorted(value))

/** Members in the order of their names: what says the same in another order is the same. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  )
}
