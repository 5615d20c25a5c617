import type { Instant } from '#lib/clock.ts'
import { create, remove, update } from '#model/change.ts'
import type { Change } from '#model/change.ts'
import type { Service, UpdateStatus } from '#model/service.ts'
import type { TaskState } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import { cronSpecOf } from '#model/cron/labels.ts'
import { versionsIn } from '#model/file-version.ts'
import { rotationOf } from '#model/rotate.ts'
import { isUpToDate, lacksFilesAlone } from '#model/up-to-date.ts'
import type { Environment, Explanation, Verdict } from '../verdict.ts'
import { newTask } from './new-task.ts'
import type { NewTaskOptions } from './new-task.ts'
import { isWanted } from './service-view.ts'
import type { ServiceView } from './service-view.ts'
import type { Slot } from './slots.ts'

/** Its tasks run to their end: by its mode, or by the clock. */
export const isJob = ({ spec }: Service): boolean =>
  spec.mode.type.endsWith('-job') || cronSpecOf(spec.labels) !== undefined

/** Gathers what is to be done about one service: of each object at most one change, as a transaction has room for. */
export class Plan {
  readonly view: ServiceView
  readonly service: Service
  readonly env: Environment
  readonly #changes = new Map<string, Change>()
  readonly #refilled = new Set<Slot>()
  readonly #because: Explanation[] = []
  #wakeAt: Instant | undefined

  constructor(view: ServiceView, service: Service, env: Environment) {
    this.view = view
    this.service = service
    this.env = env
  }

  get now(): Instant {
    return this.env.now
  }

  get isJob(): boolean {
    return isJob(this.service)
  }

  /** What is wanted of a task that is to go on: a job's task runs to its end. */
  get goal(): TaskState {
    return this.isJob ? 'complete' : 'running'
  }

  /** The task is of the service's present spec, or need not be replaced for what has changed. */
  isClean(task: Task): boolean {
    return isUpToDate(task, this.service, task.nodeId === '' ? undefined : this.view.node(task.nodeId))
  }

  touches(task: Task): boolean {
    return this.#changes.has(task.meta.id)
  }

  /** The task was told to stop, before or in this very turn. */
  stops(task: Task): boolean {
    const change = this.#changes.get(task.meta.id)
    return !isWanted(change?.op === 'update' ? (change.object as Task) : task)
  }

  /** Moves a task's desired state forward. The first reason to do so is the one that counts. */
  desire(task: Task, desiredState: TaskState, why: string): void {
    if (this.touches(task) || task.desiredState === desiredState) return
    const meta = { ...task.meta, updatedAt: this.now }
    this.#changes.set(task.meta.id, update({ ...task, meta, desiredState }))
    this.explain(task, why)
  }

  /** The task lacks new files alone, and gets them where it is: that is what its service wants. */
  canRefresh(task: Task): boolean {
    const how = rotationOf(this.service.spec.labels)?.how ?? 'restart'
    const isUp = task.status.state === 'starting' || task.status.state === 'running'
    return how !== 'restart' && isUp && lacksFilesAlone(task, this.service)
  }

  /** Gives a running task the versions of its secrets and configs that the service now names. */
  refresh(task: Task): void {
    if (this.touches(task)) return
    const rotation = rotationOf(this.service.spec.labels)
    const refresh = {
      generation: this.service.meta.generation,
      versions: Object.fromEntries(versionsIn(this.service.spec.template)),
      ...(rotation?.how === 'signal' ? { signal: rotation.signal } : {}),
    }
    const meta = { ...task.meta, updatedAt: this.now }
    this.#changes.set(task.meta.id, update({ ...task, meta, refresh }))
    this.explain(task, 'its secrets or configs were given new data')
  }

  add(options: NewTaskOptions, why: string, slot?: Slot): void {
    const task = newTask(this.service, options, this.env)
    this.#changes.set(task.meta.id, create(task))
    if (slot !== undefined) this.#refilled.add(slot)
    this.explain(task, why)
    if (options.startAfter !== undefined) this.wake(options.startAfter)
  }

  /** A task was added to this slot in this turn. */
  isRefilled(slot: Slot): boolean {
    return this.#refilled.has(slot)
  }

  drop(task: Task): void {
    if (!this.touches(task)) this.#changes.set(task.meta.id, remove(task))
  }

  /** The service itself changes: its update status, or with it its spec. */
  change(service: Service): void {
    const meta = { ...service.meta, updatedAt: this.now }
    this.#changes.set(service.meta.id, update({ ...service, meta }))
  }

  setUpdate(status: UpdateStatus): void {
    this.change({ ...this.service, status: { ...this.service.status, update: status } })
  }

  explain(task: Task, text: string): void {
    this.#because.push({ kind: 'task', id: task.meta.id, text })
  }

  wake(at: Instant): void {
    if (this.#wakeAt === undefined || at < this.#wakeAt) this.#wakeAt = at
  }

  verdict(): Verdict {
    return {
      changes: [...this.#changes.values()],
      because: this.#because,
      ...(this.#wakeAt === undefined ? {} : { wakeAt: this.#wakeAt }),
    }
  }
}
