import type { Instant } from '#lib/clock.ts'
import { instant } from '#lib/clock.ts'
import { create, remove, update } from '#model/change.ts'
import type { Change } from '#model/change.ts'
import type { NodeId } from '#model/id.ts'
import type { Service } from '#model/service.ts'
import type { TaskState } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import type { Environment, Explanation } from '../verdict.ts'
import { newTask } from './new-task.ts'
import { decideRestart, replaceNow } from './restart.ts'
import { hasEnded, judgePlace } from './service-view.ts'
import type { ServiceView } from './service-view.ts'
import type { Slot } from './slots.ts'

/** Gathers what is to be done, over all slots of a service. */
export class Plan {
  readonly #changes = new Map<string, Change>()
  readonly because: Explanation[] = []
  wakeAt: Instant | undefined
  readonly env: Environment

  constructor(env: Environment) {
    this.env = env
  }

  get changes(): Change[] {
    return [...this.#changes.values()]
  }

  /** Whether something is already to be done about this object: a transaction has room for one change of each. */
  touches(id: string): boolean {
    return this.#changes.has(id)
  }

  /** Moves a task's desired state forward. The first reason to do so is the one that counts. */
  desire(task: Task, desiredState: TaskState, why: string): void {
    if (this.touches(task.meta.id) || task.desiredState === desiredState) return
    const meta = { ...task.meta, updatedAt: this.env.now }
    this.#changes.set(task.meta.id, update({ ...task, meta, desiredState }))
    this.because.push({ kind: 'task', id: task.meta.id, text: why })
  }

  add(task: Task, why: string): void {
    this.#changes.set(task.meta.id, create(task))
    this.because.push({ kind: 'task', id: task.meta.id, text: why })
  }

  drop(task: Task): void {
    if (!this.touches(task.meta.id)) this.#changes.set(task.meta.id, remove(task))
  }

  wake(at: Instant): void {
    if (this.wakeAt === undefined || at < this.wakeAt) this.wakeAt = at
  }
}

/**
 * Keeps one slot (or one node of a global service) at one running task: replaces what has ended by its policy and
 * what lost its place at once, and lets a replacement start when its time has come.
 */
export function tendSlot(plan: Plan, view: ServiceView, service: Service, slot: Slot, nodeId?: NodeId): void {
  const { now } = plan.env
  const good = slot.wanted.filter((task) => !hasEnded(task) && judgePlace(task, view) === 'good')
  for (const task of slot.wanted) {
    if (hasEnded(task)) endOne(plan, view, service, slot, task, good.length > 0, nodeId)
    else leaveBadPlace(plan, view, service, slot, task, good, nodeId)
  }
  for (const task of good) release(plan, slot, task, now)
}

function endOne(
  plan: Plan,
  view: ServiceView,
  service: Service,
  slot: Slot,
  task: Task,
  filled: boolean,
  nodeId: NodeId | undefined,
): void {
  const { now } = plan.env
  plan.desire(task, 'shutdown', `the task ended: ${task.status.state}`)
  if (filled) return
  const lost = judgePlace(task, view) !== 'good' || task.status.state === 'orphaned'
  const decision = lost ? replaceNow(task, now) : decideRestart(task, now)
  if (!decision.restart) {
    plan.because.push({ kind: 'task', id: task.meta.id, text: `not restarted: ${decision.reason}` })
    return
  }
  addReplacement(plan, service, slot, decision, nodeId)
}

function addReplacement(
  plan: Plan,
  service: Service,
  slot: Slot,
  decision: { startAfter: Instant; restarts: NonNullable<Task['restarts']> },
  nodeId: NodeId | undefined,
): void {
  const waits = decision.startAfter > plan.env.now
  const task = newTask(
    service,
    {
      slot: slot.number,
      // It is made ready meanwhile, so that the delay costs nothing more.
      desiredState: waits ? 'ready' : 'running',
      restarts: decision.restarts,
      ...(waits ? { startAfter: decision.startAfter } : {}),
      ...(nodeId === undefined ? {} : { nodeId }),
    },
    plan.env,
  )
  plan.add(task, `replaces ${slot.newest.meta.id}`)
  if (waits) plan.wake(decision.startAfter)
}

/** A task on a node that is lost, drained or no longer suitable. */
function leaveBadPlace(
  plan: Plan,
  view: ServiceView,
  service: Service,
  slot: Slot,
  task: Task,
  good: readonly Task[],
  nodeId: NodeId | undefined,
): void {
  const place = judgePlace(task, view)
  if (place === 'good') return
  if (nodeId !== undefined) {
    // A global service has nowhere else to go.
    plan.desire(task, 'shutdown', `its node is ${place}`)
    return
  }
  const waits = place === 'drained' && view.drainOrder === 'start-first' && task.status.state === 'running'
  const replaced = good.some((other) => other.status.state === 'running')
  if (!waits || replaced) plan.desire(task, 'shutdown', `its node is ${place}`)
  if (good.length === 0) addReplacement(plan, service, slot, replaceNow(task, plan.env.now), undefined)
}

/** A task that waits to be started goes on once its delay is over and, stop-first, the one before it has stopped. */
function release(plan: Plan, slot: Slot, task: Task, now: Instant): void {
  if (task.desiredState !== 'ready') return
  const startAfter = task.startAfter ?? instant(0)
  if (startAfter > now) {
    plan.wake(startAfter)
    return
  }
  const before = slot.tasks.filter((other) => other !== task && !hasEnded(other) && other.nodeId !== '')
  const stopping = before.filter((other) => other.desiredState === 'shutdown')
  if (stopping.length > 0) return
  plan.desire(task, 'running', 'its turn has come')
}
