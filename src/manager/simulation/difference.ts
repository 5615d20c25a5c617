import type { Node } from '#model/node.ts'
import type { Kind } from '#model/objects.ts'
import { isLive, isRunnable } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import type { View } from '#store/mirror/view.ts'
import { nameOfTask } from '../explain/subject.ts'

/** What becomes of one task's place. */
export interface TaskOutcome {
  /** `web.2` */
  readonly task: string
  /**
   * - `starts`, `stops`: there is one more, or one fewer
   * - `moves`: to another node; `restarts`: where it is, for the service has changed
   * - `waits`: for a node that it cannot have
   * - `completes`: a job's
   */
  readonly what: 'starts' | 'stops' | 'moves' | 'restarts' | 'waits' | 'completes'
  /** Host names; '' for none. */
  readonly from: string
  readonly to: string
  readonly why: string
}

export interface ObjectOutcome {
  readonly kind: Kind
  readonly name: string
  readonly what: 'is created' | 'changes' | 'is removed'
}

export interface Difference {
  readonly objects: readonly ObjectOutcome[]
  readonly tasks: readonly TaskOutcome[]
  /** Tasks that are neither stopped nor started. */
  readonly staying: number
}

/** What is compared: as it was at one moment, since a mirror goes on. */
export interface Snapshot {
  readonly tasks: readonly Task[]
  readonly nodes: ReadonlyMap<string, Node>
  /** Name and generation of services, networks, secrets and configs, by kind and id. */
  readonly objects: ReadonlyMap<
    string,
    { readonly kind: Kind; readonly name: string; readonly generation: number }
  >
}

const comparedKinds = ['service', 'network', 'secret', 'config'] as const

export function snapshotOf(view: View): Snapshot {
  const objects: Snapshot['objects'] = new Map(
    comparedKinds.flatMap((kind) =>
      Array.from(view.list(kind), ({ meta }): [string, { kind: Kind; name: string; generation: number }] => [
        `${kind}/${meta.id}`,
        { kind, name: meta.name, generation: meta.generation },
      ]),
    ),
  )
  return {
    tasks: [...view.list('task')],
    nodes: new Map(Array.from(view.list('node'), (node) => [node.meta.id, node])),
    objects,
  }
}

export function difference(before: Snapshot, after: Snapshot): Difference {
  const tasks: TaskOutcome[] = []
  let staying = 0
  const old = bySlot(before)
  const fresh = bySlot(after)
  const known = new Set(before.tasks.map((task) => task.meta.id))
  for (const slot of new Set([...old.keys(), ...fresh.keys()])) {
    const outcome = outcomeOf(old.get(slot), fresh.get(slot), { before, after })
    if (outcome === 'stays') staying += 1
    else if (outcome !== undefined) tasks.push(outcome)
  }
  for (const task of after.tasks)
    if (!known.has(task.meta.id) && task.status.state === 'complete')
      tasks.push({ ...named(task), what: 'completes', from: '', to: hostOf(task, after), why: '' })
  return {
    objects: objectOutcomes(before, after),
    tasks: tasks.sort((a, b) => a.task.localeCompare(b.task, 'en', { numeric: true })),
    staying,
  }
}

/** The task that holds each place; where one moves, the newer. */
function bySlot({ tasks }: Snapshot): Map<string, Task> {
  const slots = new Map<string, Task>()
  for (const task of tasks) {
    if (task.serviceId === '' || !isRunnable(task.desiredState) || !isLive(task.status.state)) continue
    const key = `${task.serviceId}/${task.slot === 0 ? task.nodeId : String(task.slot)}`
    const other = slots.get(key)
    if (other === undefined || other.meta.createdAt <= task.meta.createdAt) slots.set(key, task)
  }
  return slots
}

function outcomeOf(
  old: Task | undefined,
  fresh: Task | undefined,
  { before, after }: { before: Snapshot; after: Snapshot },
): TaskOutcome | 'stays' | undefined {
  const from = old === undefined ? '' : hostOf(old, before)
  if (fresh === undefined) {
    if (old === undefined) return undefined
    const lost = after.nodes.get(old.nodeId)?.status.state === 'down'
    return { ...named(old), what: 'stops', from, to: '', why: lost ? 'its node is lost' : '' }
  }
  const to = hostOf(fresh, after)
  if (fresh.status.state === 'new' || fresh.status.state === 'pending') {
    const same = old?.meta.id === fresh.meta.id && old.status.error === fresh.status.error
    return same ? 'stays' : { ...named(fresh), what: 'waits', from, to: '', why: fresh.status.error }
  }
  if (old === undefined || old.nodeId === '')
    return { ...named(fresh), what: 'starts', from: '', to, why: '' }
  if (old.meta.id === fresh.meta.id) return 'stays'
  const why = old.serviceGeneration === fresh.serviceGeneration ? '' : 'the service changes'
  return { ...named(fresh), what: old.nodeId === fresh.nodeId ? 'restarts' : 'moves', from, to, why }
}

const named = (task: Task) => ({ task: nameOfTask(task) })

function hostOf(task: Task, { nodes }: Snapshot): string {
  const node = nodes.get(task.nodeId)
  return node?.status.description?.hostname ?? node?.meta.name ?? task.nodeId
}

function objectOutcomes(before: Snapshot, after: Snapshot): ObjectOutcome[] {
  const outcomes: ObjectOutcome[] = []
  for (const [key, { kind, name, generation }] of after.objects) {
    const old = before.objects.get(key)
    if (old === undefined) outcomes.push({ kind, name, what: 'is created' })
    else if (old.generation !== generation) outcomes.push({ kind, name, what: 'changes' })
  }
  for (const [key, { kind, name }] of before.objects)
    if (!after.objects.has(key)) outcomes.push({ kind, name, what: 'is removed' })
  return outcomes
}
