import type {
  Changes,
  EventRow,
  Message,
  NamedRow,
  NetworkRow,
  NodeRow,
  Row,
  RowKind,
  ServiceRow,
  Snapshot,
  TaskRow,
} from '../../src/api/dashboard/wire.ts'
import { hueAt } from './colour.ts'

const mostEvents = 500

/** Tasks without a node are kept under this one. */
export const nowhere = ''

/**
 * The cluster as the page knows it. Rows are never changed, only replaced; the maps are, as there may be ten thousand
 * tasks. What has changed is seen by stamps: a view that has seen a stamp need not look again.
 */
export class ClusterState {
  revision = 0
  /** The manager that tells us, and whether it is in contact with the others. */
  manager = ''
  isCurrent = true
  /** Grows with every message. */
  stamp = 0
  readonly nodes = new Map<string, NodeRow>()
  readonly services = new Map<string, ServiceRow>()
  readonly tasks = new Map<string, TaskRow>()
  readonly networks = new Map<string, NetworkRow>()
  readonly secrets = new Map<string, NamedRow>()
  readonly configs = new Map<string, NamedRow>()
  /** Latest last. */
  events: readonly EventRow[] = []
  readonly #byNode = new Map<string, Map<string, TaskRow>>()
  readonly #byService = new Map<string, Map<string, TaskRow>>()
  readonly #nodeStamps = new Map<string, number>()
  /** Kept also when a service goes: another must not take its colour while people look. */
  readonly #hues = new Map<string, number>()

  apply(message: Message): void {
    this.stamp += 1
    switch (message.type) {
      case 'snapshot':
        this.#replace(message)
        return
      case 'changes':
        this.#change(message)
        return
      case 'contact':
        this.isCurrent = message.current
    }
  }

  tasksOfNode(id: string): Iterable<TaskRow> {
    return this.#byNode.get(id)?.values() ?? []
  }

  tasksOfService(id: string): Iterable<TaskRow> {
    return this.#byService.get(id)?.values() ?? []
  }

  /** The colour of a service, by its id. */
  hueOf(service: string): number {
    const known = this.#hues.get(service)
    if (known !== undefined) return known
    const hue = hueAt(this.#hues.size)
    this.#hues.set(service, hue)
    return hue
  }

  /** Another number whenever something of the node, or a task on it, has changed. */
  nodeStamp(id: string): number {
    return this.#nodeStamps.get(id) ?? 0
  }

  #replace({ rows, events, revision, manager }: Snapshot): void {
    for (const table of [this.nodes, this.services, this.tasks, this.networks, this.secrets, this.configs])
      table.clear()
    this.#byNode.clear()
    this.#byService.clear()
    for (const row of rows) this.#put(row)
    // By their age, so that all pages show the same colours.
    for (const { id } of [...this.services.values()].sort((a, b) => a.createdAt - b.createdAt)) this.hueOf(id)
    this.events = events
    this.revision = revision
    this.manager = manager
  }

  #change({ put, remove, events, revision }: Changes): void {
    for (const { kind, id } of remove) this.#remove(kind, id)
    for (const row of put) this.#put(row)
    if (events.length > 0) this.events = [...this.events, ...events].slice(-mostEvents)
    this.revision = revision
  }

  #put(row: Row): void {
    if (row.kind === 'task') {
      const before = this.tasks.get(row.id)
      if (before !== undefined) this.#unindex(before)
      this.tasks.set(row.id, row)
      index(this.#byNode, row.node, row)
      index(this.#byService, row.service, row)
      this.#touch(row.node)
      return
    }
    ;(this.#table(row.kind) as Map<string, Row>).set(row.id, row)
    if (row.kind === 'node') this.#touch(row.id)
  }

  #remove(kind: RowKind, id: string): void {
    const task = kind === 'task' ? this.tasks.get(id) : undefined
    if (task !== undefined) this.#unindex(task)
    this.#table(kind).delete(id)
    if (kind === 'node') this.#touch(id)
  }

  #unindex(task: TaskRow): void {
    this.#byNode.get(task.node)?.delete(task.id)
    this.#byService.get(task.service)?.delete(task.id)
    this.#touch(task.node)
  }

  #touch(node: string): void {
    this.#nodeStamps.set(node, this.stamp)
  }

  #table(kind: RowKind): Map<string, unknown> {
    switch (kind) {
      case 'node':
        return this.nodes
      case 'service':
        return this.services
      case 'task':
        return this.tasks
      case 'network':
        return this.networks
      case 'secret':
        return this.secrets
      case 'config':
        return this.configs
    }
  }
}

function index(by: Map<string, Map<string, TaskRow>>, key: string, task: TaskRow): void {
  const group = by.get(key)
  if (group === undefined) by.set(key, new Map([[task.id, task]]))
  else group.set(task.id, task)
}
