import type { NodeId, TaskId } from '#model/id.ts'
import type { Assignments } from '#rpc/messages.ts'
import type { Task } from '#model/task.ts'
import type { View } from '#store/mirror/view.ts'
import {
  addReferences,
  assignmentsFor,
  concernsAgent,
  diffAssignments,
  emptyAssignments,
  fullAssignments,
  isHandedOut,
  refersNow,
  sameValue,
} from './assignments.ts'
import type { AssignmentSet } from './assignments.ts'

type Change = Omit<Assignments, 'full' | 'sequence'>

/**
 * What one agent was told. Each answer is told with it: what `all` and the changes after it say, put together, is
 * `assignmentsFor` its node.
 */
export class KnownAssignments {
  readonly #nodeId: NodeId
  #told: AssignmentSet = emptyAssignments()

  constructor(nodeId: NodeId) {
    this.#nodeId = nodeId
  }

  all(view: View): Change {
    this.#told = assignmentsFor(view, this.#nodeId)
    return fullAssignments(this.#told)
  }

  /** What differs now, whatever it was that changed. */
  changes(view: View): Change | undefined {
    const next = assignmentsFor(view, this.#nodeId)
    const difference = diffAssignments(this.#told, next)
    this.#told = next
    return difference
  }

  /**
   * What differs, when nothing but these tasks has changed: a busy node has hundreds, and one of them moves at a time.
   * Whether what a task no longer needs is still needed takes a look at all.
   */
  changesOf(view: View, taskIds: Iterable<TaskId>): Change | undefined {
    const moved: {
      readonly id: TaskId
      readonly before: Task | undefined
      readonly after: Task | undefined
    }[] = []
    for (const id of taskIds) {
      const before = this.#told.tasks.get(id)
      const task = view.get('task', id)
      const after = task?.nodeId === this.#nodeId && isHandedOut(task) ? task : undefined
      if (before === after) continue
      if (before !== undefined && lets(before, after)) return this.changes(view)
      moved.push({ id, before, after })
    }
    const told = this.#told
    const put: Task[] = []
    const remove: TaskId[] = []
    const news = emptyAssignments()
    for (const { id, before, after } of moved) {
      if (after === undefined) {
        told.tasks.delete(id)
        remove.push(id)
        continue
      }
      told.tasks.set(id, after)
      if (before === undefined || concernsAgent(before, after)) put.push(after)
      if (refersNow(after) && (before === undefined || !refersNow(before))) addReferences(view, after, news)
    }
    const change = {
      tasks: { put, remove },
      secrets: { put: unknown(news.secrets, told.secrets), remove: [] },
      configs: { put: unknown(news.configs, told.configs), remove: [] },
      networks: { put: unknown(news.networks, told.networks), remove: [] },
    }
    const empty = Object.values(change).every((part) => part.put.length === 0 && part.remove.length === 0)
    return empty ? undefined : change
  }
}

/** Something that the task needed may be needed no more. */
function lets(before: Task, after: Task | undefined): boolean {
  if (!refersNow(before)) return false
  if (!hasReferences(before) && (after === undefined || !hasReferences(after))) return false
  return (
    after === undefined ||
    !refersNow(after) ||
    before.spec !== after.spec ||
    before.refresh?.generation !== after.refresh?.generation ||
    !sameValue(before.attachments, after.attachments)
  )
}

const hasReferences = ({ attachments, spec }: Task): boolean =>
  attachments.length > 0 ||
  [...(spec.initContainers ?? []), ...spec.containers].some(
    ({ secrets, configs }) => (secrets?.length ?? 0) + (configs?.length ?? 0) > 0,
  )

/** What of `news` is not told yet, which is told hereby. */
function unknown<T>(news: ReadonlyMap<string, T>, told: Map<string, T>): T[] {
  const put: T[] = []
  for (const [key, object] of news) {
    if (told.get(key) === object) continue
    told.set(key, object)
    put.push(object)
  }
  return put
}
