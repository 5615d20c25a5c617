import type { Task } from '#model/task.ts'
import { isWanted } from './service-view.ts'

/** All tasks of one slot, oldest first. */
export interface Slot {
  readonly number: number
  readonly tasks: readonly Task[]
  /** Those that are wanted, oldest first. */
  readonly wanted: readonly Task[]
  readonly newest: Task
}

export function slotsOf(tasks: readonly Task[]): Map<number, Slot> {
  const groups = new Map<number, Task[]>()
  for (const task of tasks) {
    const group = groups.get(task.slot)
    if (group === undefined) groups.set(task.slot, [task])
    else group.push(task)
  }
  const slots = new Map<number, Slot>()
  for (const [number, group] of groups) {
    group.sort(byAge)
    const newest = group.at(-1)
    if (newest !== undefined)
      slots.set(number, { number, tasks: group, wanted: group.filter(isWanted), newest })
  }
  return slots
}

/** By creation; of one moment, by the restarts they carry and then by id, so that every leader sees one order. */
export function byAge(a: Task, b: Task): number {
  return (
    a.meta.createdAt - b.meta.createdAt ||
    (a.restarts?.count ?? 0) - (b.restarts?.count ?? 0) ||
    (a.meta.id < b.meta.id ? -1 : 1)
  )
}
