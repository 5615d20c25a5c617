import { isWanted } from './service-view.ts'
import type { Task } from '#model/task.ts'

/** All tasks that have held one place: a number of a replicated service, a node of a global one. */
export interface Slot {
  readonly number: number
  /** The node it is bound to; '' where the scheduler chooses. */
  readonly nodeId: Task['nodeId']
  /** Oldest first. */
  readonly tasks: readonly Task[]
  /** Those that are wanted, oldest first. */
  readonly wanted: readonly Task[]
  readonly newest: Task
}

export function slotsByNumber(tasks: readonly Task[]): Map<number, Slot> {
  const slots = new Map<number, Slot>()
  for (const [number, group] of grouped(tasks, (task) => task.slot))
    slots.set(number, toSlot(group, number, ''))
  return slots
}

export function slotsByNode(tasks: readonly Task[]): Map<string, Slot> {
  const slots = new Map<string, Slot>()
  for (const [nodeId, group] of grouped(tasks, (task) => task.nodeId))
    slots.set(nodeId, toSlot(group, 0, nodeId))
  return slots
}

function grouped<K>(tasks: readonly Task[], keyOf: (task: Task) => K): Map<K, [Task, ...Task[]]> {
  const groups = new Map<K, [Task, ...Task[]]>()
  for (const task of tasks) {
    const group = groups.get(keyOf(task))
    if (group === undefined) groups.set(keyOf(task), [task])
    else group.push(task)
  }
  return groups
}

function toSlot(group: [Task, ...Task[]], number: number, nodeId: Task['nodeId']): Slot {
  const tasks = group.length > 1 ? group.sort(byAge) : group
  return { number, nodeId, tasks, wanted: tasks.filter(isWanted), newest: tasks.at(-1) ?? group[0] }
}

/** By creation; of one moment, by the restarts they carry and then by id, so that every leader sees one order. */
export function byAge(a: Task, b: Task): number {
  return (
    a.meta.createdAt - b.meta.createdAt ||
    (a.restarts?.count ?? 0) - (b.restarts?.count ?? 0) ||
    (a.meta.id < b.meta.id ? -1 : 1)
  )
}
