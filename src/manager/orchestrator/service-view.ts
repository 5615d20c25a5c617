import { meetsConstraints, parseConstraints } from '#model/constraint.ts'
import type { Node } from '#model/node.ts'
import type { Service, TaskTemplate } from '#model/service.ts'
import { isRunnable, isTerminal } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import { toleratesNode } from '#model/toleration.ts'

/** What is decided about one service is decided on this alone. */
export interface ServiceView {
  /** Undefined: the service was removed and its tasks are left. */
  readonly service: Service | undefined
  readonly tasks: readonly Task[]
  node(id: string): Node | undefined
  /** All nodes; asked by global services. */
  nodes(): Iterable<Node>
  /** Tasks kept of each slot, the running one included; negative: all. */
  readonly taskHistoryLimit: number
  readonly drainOrder: 'start-first' | 'stop-first'
}

/** The manager wants it to run (or to be ready to). */
export const isWanted = (task: Task): boolean => isRunnable(task.desiredState)

export const hasEnded = (task: Task): boolean => isTerminal(task.status.state)

/** What is wrong with a task's node, in words that follow "its node is …". */
export type Misplacement = 'lost' | 'drained' | 'unsuitable'

/** Whether a task may stay where it is: undefined if so. A paused node keeps what it has. */
export function misplacement(task: Task, view: ServiceView): Misplacement | undefined {
  if (task.nodeId === '') return undefined
  const node = view.node(task.nodeId)
  if (node === undefined || node.status.state === 'down') return 'lost'
  if (node.spec.availability === 'drain') return 'drained'
  return suits(node, task.spec) || suits(node, view.service?.spec.template) ? undefined : 'unsuitable'
}

/**
 * Constraints and taints may turn against a task while it runs. Its own spec counts, so that a changed service
 * replaces its tasks at the pace of its update policy; the service's own saves those that a change left alone.
 */
function suits(node: Node, template: TaskTemplate | undefined): boolean {
  if (template === undefined) return false
  return meetsPlacement(node, template) && toleratesNode(node, tolerationsOf(template), ['no-execute'])
}

export const meetsPlacement = (node: Node, template: TaskTemplate): boolean =>
  meetsConstraints(node, constraintsOf(template))

export const tolerationsOf = (template: TaskTemplate) => template.placement?.tolerations ?? []

const parsed = new WeakMap<TaskTemplate, ReturnType<typeof parseConstraints>>()

function constraintsOf(template: TaskTemplate): ReturnType<typeof parseConstraints> {
  let constraints = parsed.get(template)
  if (constraints === undefined)
    parsed.set(template, (constraints = parseConstraints(template.placement?.constraints ?? [])))
  return constraints
}
