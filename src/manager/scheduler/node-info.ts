import type { Instant } from '#lib/clock.ts'
import type { NodeId, ServiceId } from '#model/id.ts'
import type { Node } from '#model/node.ts'
import type { Resources } from '#model/resources.ts'
import { isLive } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'

/** Failures that count against a node, and for how long. Swarm's numbers. */
const failureSpanMs = 5 * 60_000

/** What the scheduler knows of a node while it places a batch: it changes with each placement. */
export class NodeInfo {
  readonly node: Node
  tasks = 0
  cpuNanoFree: number
  memoryBytesFree: number
  readonly #genericFree = new Map<string, number>()
  readonly #byService = new Map<ServiceId | '', number>()
  readonly #hostPorts = new Set<string>()
  readonly #failures = new Map<ServiceId | '', number>()

  constructor(node: Node) {
    this.node = node
    const resources: Resources = node.status.description?.resources ?? {}
    this.cpuNanoFree = resources.cpuNano ?? 0
    this.memoryBytesFree = resources.memoryBytes ?? 0
    for (const generic of resources.generic ?? [])
      this.#genericFree.set(
        generic.kind,
        (this.#genericFree.get(generic.kind) ?? 0) + ('count' in generic ? generic.count : 1),
      )
  }

  tasksOf(serviceId: ServiceId | ''): number {
    return this.#byService.get(serviceId) ?? 0
  }

  recentFailures(serviceId: ServiceId | ''): number {
    return this.#failures.get(serviceId) ?? 0
  }

  genericFree(kind: string): number {
    return this.#genericFree.get(kind) ?? 0
  }

  usesHostPort(key: string): boolean {
    return this.#hostPorts.has(key)
  }

  /** Counts a task that is, or is to be, on this node. */
  add(task: Task): void {
    this.#count(task, 1)
    for (const key of hostPortsOf(task)) this.#hostPorts.add(key)
  }

  addFailure(serviceId: ServiceId | ''): void {
    this.#failures.set(serviceId, this.recentFailures(serviceId) + 1)
  }

  #count(task: Task, sign: 1 | -1): void {
    this.tasks += sign
    this.#byService.set(task.serviceId, this.tasksOf(task.serviceId) + sign)
    const reserved = task.spec.resources?.reservations
    this.cpuNanoFree -= sign * (reserved?.cpuNano ?? 0)
    this.memoryBytesFree -= sign * (reserved?.memoryBytes ?? 0)
    for (const generic of reserved?.generic ?? [])
      this.#genericFree.set(
        generic.kind,
        this.genericFree(generic.kind) - sign * ('count' in generic ? generic.count : 1),
      )
  }
}

/** The ports that a task opens on its host, as keys. */
export function hostPortsOf(task: Task): string[] {
  return task.ports
    .filter((port) => port.publishMode === 'host' && (port.publishedPort ?? 0) > 0)
    .map((port) => `${String(port.publishedPort)}/${port.protocol}`)
}

/** Nodes with what runs on them. A task counts until it has ended, also while it is being stopped. */
export function nodeInfos(nodes: Iterable<Node>, tasks: Iterable<Task>, now: Instant): Map<NodeId, NodeInfo> {
  const infos = new Map<NodeId, NodeInfo>()
  for (const node of nodes) infos.set(node.meta.id, new NodeInfo(node))
  for (const task of tasks) {
    if (task.nodeId === '') continue
    const info = infos.get(task.nodeId)
    if (info === undefined) continue
    if (isLive(task.status.state)) info.add(task)
    else if (failed(task) && now - task.status.since < failureSpanMs) info.addFailure(task.serviceId)
  }
  return infos
}

const failed = (task: Task): boolean => task.status.state === 'failed' || task.status.state === 'rejected'
