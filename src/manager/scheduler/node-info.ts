import type { Instant } from '#lib/clock.ts'
import type { ServiceId, TaskId } from '#model/id.ts'
import type { Node } from '#model/node.ts'
import type { GenericResource } from '#model/resources.ts'
import { isRunnable } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import { FreeGeneric } from './generic.ts'

/** Failures that count against a node, and for how long. Swarm's number. */
const failureSpanMs = 5 * 60_000

/**
 * What the scheduler knows of a node; it changes with each placement. A task holds its resources and ports until
 * it has ended, but is counted among the node's tasks only while it is wanted: what is being stopped leaves soon,
 * and its successor may well take its place.
 */
export class NodeInfo {
  readonly node: Node
  /** Its place among the nodes of the batch that is being placed. */
  number = 0
  /** Wanted tasks, of all services. */
  tasks = 0
  cpuNanoFree: number
  memoryBytesFree: number
  readonly generic: FreeGeneric
  readonly #held = new Map<TaskId, Task>()
  readonly #byService = new Map<ServiceId | '', number>()
  readonly #hostPorts = new Map<string, number>()
  readonly #failures = new Map<string, Instant[]>()

  constructor(node: Node) {
    this.node = node
    const resources = node.status.description?.resources
    this.cpuNanoFree = resources?.cpuNano ?? 0
    this.memoryBytesFree = resources?.memoryBytes ?? 0
    this.generic = new FreeGeneric(resources?.generic ?? [])
  }

  tasksOf(serviceId: ServiceId | ''): number {
    return this.#byService.get(serviceId) ?? 0
  }

  usesHostPort(key: string): boolean {
    return this.#hostPorts.has(key)
  }

  /** The tasks that are counted here. */
  held(): Iterable<Task> {
    return this.#held.values()
  }

  holder(id: TaskId): Task | undefined {
    return this.#held.get(id)
  }

  /** Counts a task that is, or is to be, on this node and has not ended. */
  add(task: Task): void {
    this.#held.set(task.meta.id, task)
    this.#count(task, 1)
    this.generic.take(heldGeneric(task))
    for (const key of hostPortsOf(task)) this.#hostPorts.set(key, (this.#hostPorts.get(key) ?? 0) + 1)
  }

  remove(task: Task): void {
    this.#held.delete(task.meta.id)
    this.#count(task, -1)
    this.generic.give(heldGeneric(task))
    for (const key of hostPortsOf(task)) {
      const left = (this.#hostPorts.get(key) ?? 0) - 1
      if (left > 0) this.#hostPorts.set(key, left)
      else this.#hostPorts.delete(key)
    }
  }

  /** A task of the same service and spec failed here. */
  addFailure(task: Task): void {
    const key = alikeKey(task)
    const failures = this.#failures.get(key)
    if (failures === undefined) this.#failures.set(key, [task.status.since])
    else failures.push(task.status.since)
  }

  /** The node has changed: what it ran and how that went is the same. */
  inherit(before: NodeInfo): void {
    for (const task of before.held()) this.add(task)
    for (const [key, failures] of before.#failures) this.#failures.set(key, failures)
  }

  /** A counted task is known by another object from now on, which weighs the same. */
  hold(task: Task): void {
    this.#held.set(task.meta.id, task)
  }

  recentFailures(task: Task, now: Instant): number {
    if (this.#failures.size === 0) return 0
    const failures = this.#failures.get(alikeKey(task))
    if (failures === undefined) return 0
    const recent = failures.filter((at) => at > now - failureSpanMs)
    if (recent.length === 0) this.#failures.delete(alikeKey(task))
    else if (recent.length < failures.length) this.#failures.set(alikeKey(task), recent)
    return recent.length
  }

  #count(task: Task, sign: 1 | -1): void {
    const reserved = task.spec.resources?.reservations
    this.cpuNanoFree -= sign * (reserved?.cpuNano ?? 0)
    this.memoryBytesFree -= sign * (reserved?.memoryBytes ?? 0)
    if (!isRunnable(task.desiredState)) return
    this.tasks += sign
    const count = this.tasksOf(task.serviceId) + sign
    if (count === 0) this.#byService.delete(task.serviceId)
    else this.#byService.set(task.serviceId, count)
  }
}

/** Tasks of one service and one generation are alike: what refuses one refuses all. */
export const alikeKey = (task: Task): string => `${task.serviceId}/${String(task.serviceGeneration)}`

const heldGeneric = (task: Task): readonly GenericResource[] =>
  task.genericResources ?? task.spec.resources?.reservations?.generic ?? []

const noKeys: readonly string[] = []

/** The ports that a task opens on its host, as keys. */
export function hostPortsOf(task: Task): readonly string[] {
  if (task.ports.length === 0) return noKeys
  return task.ports
    .filter((port) => port.publishMode === 'host' && (port.publishedPort ?? 0) > 0)
    .map((port) => `${String(port.publishedPort)}/${port.protocol}`)
}
