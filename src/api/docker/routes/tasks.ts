import type { View } from '#manager/control/control.ts'
import type { Task } from '#model/task.ts'
import { taskStates } from '#model/task-state.ts'
import { isUpToDate } from '#model/up-to-date.ts'
import { ok, okText } from '../../http/response.ts'
import type { Router } from '../../http/router.ts'
import { taskToText } from '../convert/task-text.ts'
import { taskFromModel } from '../convert/task.ts'
import type { FacadeParts } from '../facade.ts'
import { matches, matchesLabels, parseFilters, refuseOtherValues } from '../filters.ts'
import type { Filters } from '../filters.ts'
import { find } from '../find.ts'

const filterNames = [
  'desired-state',
  'id',
  'label',
  'name',
  'node',
  'runtime',
  'service',
  '_up-to-date',
] as const

export function registerTaskRoutes(router: Router, { node }: FacadeParts): void {
  router.add('GET', '/tasks', async (request) => {
    const { view } = node.control()
    const filters = parseFilters(request.query.get('filters'), filterNames)
    refuseOtherValues(filters, 'desired-state', taskStates)
    for (const wanted of filters.get('node') ?? []) if (wanted !== '') find(view, 'node', wanted)
    const networkOf = (id: string) => view.get('network', id)
    const texts = candidates(view, filters)
      .filter((task) => isTask(task) && passes(view, task, filters))
      .map((task) => taskToText(task, networkOf))
    return okText(`[${texts.join()}]`)
  })

  router.add('GET', '/tasks/{id}', async (request) => {
    const { view } = node.control()
    return ok(toDocker(view, find(view, 'task', request.params['id'] ?? '')))
  })
}

/** A plain container's place on a network is nothing that was scheduled. */
const isTask = (task: Task): boolean => task.spec.runtime !== 'attachment'

const toDocker = (view: View, task: Task): object => taskFromModel(task, (id) => view.get('network', id))

/** By the index where a filter names services, which must be there: a cluster's tasks are many. */
function candidates(view: View, filters: Filters): Task[] {
  const services = filters.get('service')
  if (services === undefined || services.length === 0) return [...view.list('task')]
  const ids = services
    .filter((wanted) => wanted !== '')
    .map((wanted) => find(view, 'service', wanted).meta.id)
  return [...new Set(ids)].flatMap((id) => [...view.tasksOfService(id)])
}

function passes(view: View, task: Task, filters: Filters): boolean {
  return (
    matches(filters, 'id', (id) => task.meta.id.startsWith(id)) &&
    matches(
      filters,
      'name',
      (name) => task.serviceName.startsWith(name) || taskName(task).startsWith(name),
    ) &&
    matches(filters, 'node', (wanted) => onNode(view, task, wanted)) &&
    matches(filters, 'desired-state', (state) => sameDesire(task, state)) &&
    matches(filters, '_up-to-date', (text) => upToDate(view, task) === (text === 'true' || text === '1')) &&
    matchesLabels(filters, 'label', task.serviceLabels)
  )
}

const taskName = (task: Task): string =>
  `${task.serviceName}.${task.slot > 0 ? String(task.slot) : task.nodeId}.${task.meta.id}`

function onNode(view: View, task: Task, wanted: string): boolean {
  if (task.nodeId === '' || wanted === '') return false
  return (
    task.nodeId === wanted ||
    task.nodeId.startsWith(wanted) ||
    view.get('node', task.nodeId)?.meta.name === wanted
  )
}

/** Docker knows three desires; the finer ones of a task under way count as one of them. No word is no wish. */
function sameDesire(task: Task, wanted: string): boolean {
  const state = wanted.toLowerCase()
  if (state === '') return true
  if (state === 'running') return task.desiredState === 'running' || task.desiredState === 'complete'
  if (state === 'accepted') return task.desiredState === 'ready' || task.desiredState === 'accepted'
  if (state === 'shutdown') return task.desiredState === 'shutdown' || task.desiredState === 'remove'
  return task.desiredState === state
}

function upToDate(view: View, task: Task): boolean {
  const service = task.serviceId === '' ? undefined : view.get('service', task.serviceId)
  return service !== undefined && isUpToDate(task, service)
}
