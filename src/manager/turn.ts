import type { Instant } from '#lib/clock.ts'
import { errorText } from '#lib/errors.ts'
import { create, update } from '#model/change.ts'
import type { Change } from '#model/change.ts'
import { clusterDefaults, taskHistoryLimit } from '#model/defaults.ts'
import type { NodeId, ServiceId } from '#model/id.ts'
import { isTerminal } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import type { View } from '#store/mirror/view.ts'
import { allocateEndpoint } from './allocator/allocate.ts'
import type { PortPool } from './allocator/allocate.ts'
import { reconcileService } from './orchestrator/reconcile.ts'
import { nodeInfos } from './scheduler/node-info.ts'
import { schedule } from './scheduler/pipeline.ts'
import type { Environment, Explanation } from './verdict.ts'

/** All that one turn of the pipeline decides. */
export interface Turn {
  readonly changes: readonly Change[]
  readonly wakeAt: ReadonlyMap<string, Instant>
  readonly because: readonly Explanation[]
}

/**
 * One turn: the given services are reconciled, and whatever has no node yet, new or left over, is scheduled on
 * top of that, all in memory, so that a task is born, allocated and assigned in a single write.
 */
export function planTurn(
  view: View,
  services: readonly string[],
  pending: Iterable<string>,
  ports: PortPool,
  env: Environment,
): Turn {
  const changes = new Map<string, Change>()
  const wakeAt = new Map<string, Instant>()
  const because: Explanation[] = []
  const settings = settingsOf(view)
  for (const id of services) {
    const stored = view.get('service', id)
    const service = stored && allocated(stored, ports, because)
    const verdict = reconcileService(
      {
        service,
        tasks: [...view.tasksOfService(id as ServiceId)],
        node: (nodeId) => view.get('node', nodeId),
        nodes: () => view.list('node'),
        ...settings,
      },
      env,
    )
    for (const change of verdict.changes) changes.set(idOf(change), change)
    if (service !== stored && service !== undefined && !changes.has(id)) changes.set(id, update(service))
    if (verdict.wakeAt !== undefined) wakeAt.set(id, verdict.wakeAt)
    because.push(...verdict.because)
  }
  scheduleInto(changes, view, pending, because, env)
  return { changes: [...changes.values()], wakeAt, because }
}

function settingsOf(view: View) {
  for (const { spec } of view.list('cluster')) {
    return {
      taskHistoryLimit: taskHistoryLimit(spec),
      drainOrder: spec.scheduling?.drainOrder ?? clusterDefaults.drainOrder,
    }
  }
  return { taskHistoryLimit: clusterDefaults.taskHistoryLimit, drainOrder: clusterDefaults.drainOrder }
}

function allocated(service: Parameters<typeof allocateEndpoint>[0], ports: PortPool, because: Explanation[]) {
  try {
    const result = allocateEndpoint(service, ports)
    ports.take(result)
    return result
  } catch (error) {
    because.push({ kind: 'service', id: service.meta.id, text: errorText(error) })
    return service
  }
}

const idOf = (change: Change): string => (change.op === 'remove' ? change.id : change.object.meta.id)

/** Schedules what has no node, as it will be once this turn's changes are made. */
function scheduleInto(
  changes: Map<string, Change>,
  view: View,
  pending: Iterable<string>,
  because: Explanation[],
  env: Environment,
): void {
  const waiting = new Map<string, Task>()
  for (const id of pending) {
    const change = changes.get(id)
    if (change?.op === 'remove') continue
    const task = change === undefined ? view.get('task', id) : (change.object as Task)
    if (task !== undefined) waiting.set(id, task)
  }
  for (const change of changes.values())
    if (change.op === 'create' && change.object.kind === 'task')
      waiting.set(change.object.meta.id, change.object)
  const tasks = [...waiting.values()].filter((task) => isUnassigned(task) && !isTerminal(task.desiredState))
  if (tasks.length === 0) return
  const infos = nodeInfos(view.list('node'), view.list('task'), env.now)
  const result = schedule(tasks, infos, { strategy: strategyOf(view), random: env.random })
  for (const { task, nodeId } of result.placed) set(changes, placedOn(task, nodeId, env.now))
  for (const { task, reason } of result.unplaced) {
    because.push({ kind: 'task', id: task.meta.id, text: reason })
    if (task.status.state === 'pending' && task.status.error === reason) continue
    set(changes, waits(task, reason, env.now))
  }
}

const isUnassigned = (task: Task): boolean => task.status.state === 'new' || task.status.state === 'pending'

function strategyOf(view: View) {
  for (const { spec } of view.list('cluster')) return spec.scheduling?.strategy ?? clusterDefaults.strategy
  return clusterDefaults.strategy
}

function set(changes: Map<string, Change>, task: Task): void {
  const isNew = changes.get(task.meta.id)?.op === 'create'
  changes.set(task.meta.id, isNew ? create(task) : update(task))
}

function placedOn(task: Task, nodeId: NodeId, now: Instant): Task {
  return {
    ...task,
    nodeId,
    meta: { ...task.meta, updatedAt: now },
    status: {
      ...task.status,
      state: 'assigned',
      since: now,
      message: 'scheduler assigned task to node',
      error: '',
    },
  }
}

function waits(task: Task, reason: string, now: Instant): Task {
  return {
    ...task,
    meta: { ...task.meta, updatedAt: now },
    status: {
      ...task.status,
      state: 'pending',
      since: now,
      message: 'pending task scheduling',
      error: reason,
    },
  }
}
