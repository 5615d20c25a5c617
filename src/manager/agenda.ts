import type { Instant } from '#lib/clock.ts'
import { instant } from '#lib/clock.ts'
import type { ObjectEvent } from '#model/change.ts'
import type { ServiceId } from '#model/id.ts'
import { isTerminal } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import type { View } from '#store/mirror/view.ts'
import type { TurnWork } from './turn.ts'

/**
 * Services of many tasks are not looked at again for each of them that moves: a pass costs some microseconds a task,
 * so that this, for all tasks that a turn looks at, keeps it to a fraction of the time.
 */
const restPerTaskMs = 0.03
const restFromTasks = 1_000
/**
 * Tasks of the services of one turn, or those of its first service: a turn is decided without a pause, and while it
 * is, nobody hears from this manager.
 */
const turnTasks = 20_000

/**
 * What the next turn has to look at: marked by what happens, and by the time. It remembers nothing that a new leader
 * needs, because one begins by looking at everything.
 */
export class Agenda {
  readonly #services = new Set<string>()
  readonly #nodes = new Set<string>()
  readonly #pending = new Set<string>()
  readonly #wakeAt = new Map<string, Instant>()
  /** Until when a large service that was just looked at may wait for the next time. */
  readonly #restsUntil = new Map<string, Instant>()
  /** Services that wait for something that another may give back. */
  readonly #stuck = new Set<string>()
  /** A network may wait for its subnet. */
  #mayAllocate = true
  /** Something may have made room for what waits for a node. */
  #mayPlace = true

  constructor(view: View) {
    this.markAll(view)
  }

  markAll(view: View): void {
    for (const service of view.list('service')) this.#services.add(service.meta.id)
    for (const node of view.list('node')) this.#nodes.add(node.meta.id)
    for (const task of view.list('task')) {
      if (task.serviceId !== '') this.#services.add(task.serviceId)
      if (isUnassigned(task)) this.#pending.add(task.meta.id)
    }
    this.#mayPlace = true
  }

  hear(events: readonly ObjectEvent[], view: View): void {
    for (const event of events) {
      switch (event.kind) {
        case 'task':
          this.#hearTask(event as ObjectEvent<'task'>)
          break
        case 'service':
          this.#hearService(event as ObjectEvent<'service'>)
          break
        case 'node':
          this.#hearNode(event as ObjectEvent<'node'>, view)
          break
        case 'cluster':
          this.markAll(view)
          break
        case 'network':
          this.#mayAllocate = true
          this.#unstick()
          break
        case 'secret':
        case 'config':
          break
      }
    }
  }

  /** The work that is due; undefined: none. What is taken is marked anew by `putBack` or by what happens next. */
  take(now: Instant, view: View): (TurnWork & { readonly services: readonly string[] }) | undefined {
    for (const [id, at] of this.#wakeAt) {
      if (at > now) continue
      this.#wakeAt.delete(id)
      this.#services.add(id)
    }
    const { services, large, tasks } = this.#due(now, view)
    const place = this.#mayPlace && this.#pending.size > 0
    if (services.length === 0 && this.#nodes.size === 0 && !place && !this.#mayAllocate) return undefined
    this.#mayAllocate = false
    for (const id of services) {
      this.#services.delete(id)
      this.#restsUntil.delete(id)
    }
    for (const id of large) this.#restsUntil.set(id, instant(now + tasks * restPerTaskMs))
    const nodes = [...this.#nodes]
    this.#nodes.clear()
    this.#mayPlace = false
    return { services, nodes, pending: this.#pending }
  }

  /** What a turn found: when to look again, and which services wait for others. */
  note(turn: {
    readonly wakeAt: ReadonlyMap<string, Instant>
    readonly unallocated: ReadonlyMap<string, string>
  }): void {
    for (const [id, at] of turn.wakeAt) this.#wakeAt.set(id, at)
    for (const id of turn.unallocated.keys()) this.#stuck.add(id)
  }

  /** The turn could not be stored as it was decided. */
  putBack(work: TurnWork): void {
    for (const id of work.services) {
      this.#services.add(id)
      this.#restsUntil.delete(id)
    }
    for (const id of work.nodes) this.#nodes.add(id)
    this.#mayPlace = true
  }

  /** When something is due though nothing happens. */
  nextAt(): Instant | undefined {
    let next = Infinity
    for (const at of this.#wakeAt.values()) next = Math.min(next, at)
    for (const id of this.#services) next = Math.min(next, this.#restsUntil.get(id) ?? 0)
    return next === Infinity ? undefined : instant(next)
  }

  #hearTask({ before, after }: ObjectEvent<'task'>): void {
    const task = after ?? before
    if (task === undefined) return
    if (after !== undefined && isUnassigned(after)) this.#pending.add(after.meta.id)
    else this.#pending.delete(task.meta.id)
    if (before !== undefined && after !== undefined && phaseOf(before) === phaseOf(after)) return
    if (task.serviceId !== '') this.#services.add(task.serviceId)
    // An end gives back what the task held.
    if (after === undefined || isTerminal(after.status.state)) this.#mayPlace = true
    else if (before === undefined && isUnassigned(after)) this.#mayPlace = true
    else if (before !== undefined && before.desiredState !== after.desiredState) this.#mayPlace = true
  }

  #hearService({ before, after }: ObjectEvent<'service'>): void {
    const id = (after ?? before)?.meta.id
    if (id === undefined) return
    this.#services.add(id)
    this.#restsUntil.delete(id)
    if (after === undefined) {
      this.#wakeAt.delete(id)
      this.#stuck.delete(id)
    }
    if (before !== undefined) this.#unstick()
  }

  #hearNode(event: ObjectEvent<'node'>, view: View): void {
    if (!concernsPlacement(event)) return
    this.markAll(view)
    this.#restsUntil.clear()
  }

  #unstick(): void {
    for (const id of this.#stuck) this.#services.add(id)
    this.#stuck.clear()
    this.#mayPlace = true
  }

  /** Services to look at now, as many as a turn has room for; `tasks`: those of the large ones among them. */
  #due(now: Instant, view: View): { services: string[]; large: string[]; tasks: number } {
    const services: string[] = []
    const large: string[] = []
    let tasks = 0
    let all = 0
    for (const id of this.#services) {
      if ((this.#restsUntil.get(id) ?? 0) > now) continue
      const size = sizeOf(view, id as ServiceId)
      if (all > 0 && all + size > turnTasks) continue
      services.push(id)
      all += size
      if (size < restFromTasks) continue
      large.push(id)
      tasks += size
    }
    return { services, large, tasks }
  }
}

/** How many tasks a service has, or is to have. */
function sizeOf(view: View, id: ServiceId): number {
  const mode = view.get('service', id)?.spec.mode
  const wanted = mode?.type === 'replicated' ? (mode.replicas ?? 1) : 0
  return Math.max(view.countTasksOfService(id), wanted)
}

const isUnassigned = (task: Task): boolean => task.status.state === 'new' || task.status.state === 'pending'

/** What the orchestrators distinguish in a task; what moves within a phase is no news to them. */
function phaseOf(task: Task): string {
  const { state, error, files } = task.status
  const phase = isTerminal(state)
    ? 'ended'
    : state === 'running'
      ? 'running'
      : state === 'ready' || state === 'starting'
        ? 'ready'
        : state === 'pending'
          ? `pending ${error}`
          : 'coming'
  return `${phase}/${task.desiredState}/${task.nodeId}/${String(files?.generation)}`
}

/** Heartbeats and sessions change a node's record and concern no task. */
function concernsPlacement({ before, after }: ObjectEvent<'node'>): boolean {
  if (before === undefined || after === undefined) return true
  return (
    before.meta.generation !== after.meta.generation ||
    before.status.state !== after.status.state ||
    before.status.role !== after.status.role ||
    before.status.address !== after.status.address ||
    (before.status.description !== after.status.description &&
      JSON.stringify(before.status.description) !== JSON.stringify(after.status.description))
  )
}
