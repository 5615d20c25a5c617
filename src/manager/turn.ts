import { instant } from '#lib/clock.ts'
import type { Instant } from '#lib/clock.ts'
import { parseNetwork } from '#model/address.ts'
import { create, update } from '#model/change.ts'
import type { Change } from '#model/change.ts'
import type { ClusterSpec } from '#model/cluster.ts'
import { networkingDefaults, taskHistoryLimit } from '#model/defaults.ts'
import type { NodeId, ServiceId, TaskId } from '#model/id.ts'
import { schedulingSettings } from '#model/scheduling.ts'
import type { Service } from '#model/service.ts'
import { isRunnable } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import type { View } from '#store/mirror/view.ts'
import type { Allocator } from './allocator/allocator.ts'
import { newTask } from './orchestrator/new-task.ts'
import { reconcileService } from './orchestrator/reconcile.ts'
import { keepsItsPlaces, movesUnderway, planMoves } from './rebalance.ts'
import type { ClusterNodes } from './scheduler/cluster-nodes.ts'
import { overcommitted } from './scheduler/overcommitted.ts'
import { schedule } from './scheduler/pipeline.ts'
import type { Underway } from './scheduler/rebalance.ts'
import type { Placement } from './scheduler/pipeline.ts'
import type { Environment, Explanation } from './verdict.ts'

/** What the leader keeps beside the mirror: sums over it, brought up to date by every change. */
export interface TurnState {
  readonly nodes: ClusterNodes
  readonly allocator: Allocator
  /** Tasks that a rebalance has made and that still go on: what they take the place of may be counted as well. */
  readonly movers: ReadonlyMap<TaskId, Task>
}

export interface TurnWork {
  /** Services to look at, by id; those that are no more included. */
  readonly services: Iterable<string>
  /** Nodes that changed. */
  readonly nodes: Iterable<string>
  /** Tasks that wait for a node. */
  readonly pending: Iterable<string>
}

/** All that one turn of the pipeline decides. `state` is counted as if it were stored already. */
export interface Turn {
  readonly changes: readonly Change[]
  readonly wakeAt: ReadonlyMap<string, Instant>
  readonly because: readonly Explanation[]
  /** Services whose endpoint could not be allocated, and why: their tasks wait. */
  readonly unallocated: ReadonlyMap<string, string>
}

/**
 * One turn: the given services are reconciled, and whatever has no node yet, new or left over, is allocated and
 * scheduled on top of that, all in memory, so that a task is born, allocated and assigned in a single write.
 */
export function planTurn(view: View, work: TurnWork, state: TurnState, env: Environment): Turn {
  const turn = new TurnPlan(view, state, env)
  turn.allocateNetworks()
  for (const id of work.nodes) turn.enforceRoom(id as NodeId)
  for (const id of work.services) turn.reconcile(id as ServiceId)
  for (const id of work.services) turn.rebalance(id as ServiceId)
  turn.schedule(work.pending)
  return turn
}

class TurnPlan implements Turn {
  readonly wakeAt = new Map<string, Instant>()
  readonly because: Explanation[] = []
  readonly #changes = new Map<string, Change>()
  readonly #view: View
  readonly #state: TurnState
  readonly #env: Environment
  readonly #settings: ReturnType<typeof settingsOf>
  readonly unallocated = new Map<string, string>()
  /** Services that something else is done about in this turn. */
  readonly #busy = new Set<ServiceId>()
  #underway: Underway | undefined

  constructor(view: View, state: TurnState, env: Environment) {
    this.#view = view
    this.#state = state
    this.#env = env
    this.#settings = settingsOf(view)
  }

  get changes(): Change[] {
    return [...this.#changes.values()]
  }

  allocateNetworks(): void {
    const routes = () =>
      [...this.#view.list('node')].flatMap(({ status }) =>
        (status.description?.routes ?? []).flatMap((route) => parseNetwork(route) ?? []),
      )
    for (const network of this.#view.list('network')) {
      const allocated = this.#state.allocator.allocateNetwork(network, this.#settings.networking, routes)
      if (allocated !== network) this.#set(update(allocated))
    }
  }

  enforceRoom(id: NodeId): void {
    const node = this.#view.get('node', id)
    if (node === undefined) return
    for (const task of overcommitted(node, this.#view.tasksOfNode(id))) {
      const meta = { ...task.meta, updatedAt: this.#env.now }
      this.#set(update({ ...task, meta, desiredState: 'shutdown' }))
      this.#explain('task', task.meta.id, 'its node has no room for it any more')
    }
  }

  reconcile(id: ServiceId): void {
    const stored = this.#view.get('service', id)
    const service = stored === undefined ? undefined : this.#allocated(stored)
    const verdict = reconcileService(
      {
        service,
        tasks: Array.from(this.#view.tasksOfService(id), (task) => this.#present(task)),
        node: (nodeId) => this.#view.get('node', nodeId),
        nodes: () => this.#view.list('node'),
        ...this.#settings,
      },
      this.#env,
    )
    if (service !== undefined && service !== stored) this.#set(update(service))
    for (const change of verdict.changes) this.#set(change)
    if (verdict.changes.length > 0) this.#busy.add(id)
    if (verdict.wakeAt !== undefined) this.wakeAt.set(id, verdict.wakeAt)
    this.because.push(...verdict.because)
  }

  /** Begins the moves to better nodes that are due, where a person or the cluster's setting wants any. */
  rebalance(id: ServiceId): void {
    const service = this.#view.get('service', id)
    if (service === undefined || this.#busy.has(id) || this.#changes.has(id)) return
    const { rebalance: asked, ...status } = service.status
    if (asked === undefined && !this.#settings.rebalance) return
    const { now } = this.#env
    const { moves, wakeAt, done } =
      keepsItsPlaces(service, this.#settings) === undefined
        ? planMoves(
            {
              service,
              tasks: [...this.#view.tasksOfService(id)],
              node: (nodeId) => this.#view.get('node', nodeId),
              infos: this.#state.nodes.infos,
              underway: (this.#underway ??= movesUnderway(this.#view, this.#state.movers.values())),
            },
            now,
            asked === undefined,
          )
        : { moves: [], wakeAt: undefined, done: true }
    for (const { task, to } of moves) {
      const options = { slot: task.slot, nodeId: to, desiredState: 'running', cause: 'rebalance' } as const
      this.#set(create(newTask(service, options, this.#env)))
      this.#explain('task', task.meta.id, 'another node has more room for it')
    }
    if (wakeAt !== undefined) this.wakeAt.set(id, instant(Math.min(wakeAt, this.wakeAt.get(id) ?? Infinity)))
    if (asked !== undefined && done)
      this.#set(update({ ...service, meta: { ...service.meta, updatedAt: now }, status }))
  }

  /** Gives nodes to what has none, as it will be once this turn's changes are made. */
  schedule(pending: Iterable<string>): void {
    const waiting = new Map<string, Task>()
    for (const id of pending) {
      const task = this.#view.get('task', id)
      if (task !== undefined && this.#changes.get(id)?.op !== 'remove') waiting.set(id, this.#present(task))
    }
    for (const { op, task } of this.#taskChanges()) if (op === 'create') waiting.set(task.meta.id, task)
    const ready: Task[] = []
    for (const task of waiting.values()) {
      if (!isUnassigned(task) || !isRunnable(task.desiredState)) continue
      const attached = this.#attached(task)
      if (typeof attached === 'string') this.#wait(task, attached)
      else ready.push(attached)
    }
    if (ready.length === 0) return
    const { strategy } = this.#settings
    const { now, random } = this.#env
    const { placed, unplaced } = schedule(ready, this.#state.nodes.infos, { strategy, random, now })
    for (const placement of placed) this.#place(placement)
    for (const { task, reason } of unplaced) this.#wait(task, reason)
  }

  *#taskChanges(): Iterable<{ op: 'create' | 'update'; task: Task }> {
    for (const change of this.#changes.values())
      if (change.op !== 'remove' && change.object.kind === 'task')
        yield { op: change.op, task: change.object }
  }

  #present(task: Task): Task {
    const change = this.#changes.get(task.meta.id)
    return change?.op === 'update' ? (change.object as Task) : task
  }

  #allocated(service: Service): Service {
    const result = this.#state.allocator.allocateService(service)
    if (result.problem === undefined) return result.service
    this.unallocated.set(service.meta.id, result.problem)
    this.#explain('service', service.meta.id, result.problem)
    return service
  }

  /** The task with its addresses, or why it cannot have them. */
  #attached(task: Task): Task | string {
    return this.unallocated.get(task.serviceId) ?? this.#state.allocator.attachTask(task)
  }

  #place({ task, nodeId, genericResources }: Placement): void {
    const { now } = this.#env
    const message =
      task.nodeId === ''
        ? 'scheduler assigned task to node'
        : 'scheduler confirmed task can run on preassigned node'
    const assigned: Task = {
      ...task,
      nodeId,
      meta: { ...task.meta, updatedAt: now },
      status: { ...task.status, state: 'assigned', since: now, message, error: '' },
      ...(genericResources === undefined ? {} : { genericResources }),
    }
    this.#replace(assigned)
    this.#state.nodes.adopt(assigned)
  }

  #wait(task: Task, reason: string): void {
    const { now } = this.#env
    this.#explain('task', task.meta.id, reason)
    if (task.status.state === 'pending' && task.status.error === reason) return
    this.#replace({
      ...task,
      meta: { ...task.meta, updatedAt: now },
      status: {
        ...task.status,
        state: 'pending',
        since: now,
        message: 'pending task scheduling',
        error: reason,
      },
    })
  }

  #replace(task: Task): void {
    const isNew = this.#changes.get(task.meta.id)?.op === 'create'
    this.#changes.set(task.meta.id, isNew ? create(task) : update(task))
  }

  /** Takes a change up, and counts it where the scheduler will look. */
  #set(change: Change): void {
    if (change.op === 'remove') {
      this.#changes.set(change.id, change)
      if (change.kind === 'task') this.#state.nodes.removeTask(change.id as TaskId)
      return
    }
    this.#changes.set(change.object.meta.id, change)
    if (change.op === 'update' && change.object.kind === 'task') this.#state.nodes.putTask(change.object)
  }

  #explain(kind: string, id: string, text: string): void {
    this.because.push({ kind, id, text })
  }
}

function settingsOf(view: View) {
  let spec: ClusterSpec = {}
  let networking = networkingDefaults
  for (const cluster of view.list('cluster')) {
    spec = cluster.spec
    networking = cluster.status.networking
  }
  return {
    networking,
    taskHistoryLimit: taskHistoryLimit(spec),
    ...schedulingSettings(spec),
  }
}

const isUnassigned = (task: Task): boolean => task.status.state === 'new' || task.status.state === 'pending'
