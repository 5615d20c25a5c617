import { meetsConstraints, parseConstraint } from '#model/constraint.ts'
import type { Constraint } from '#model/constraint.ts'
import type { Node } from '#model/node.ts'
import type { Service } from '#model/service.ts'
import { isTerminal } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'

/** What is decided about one service is decided on this alone. */
export interface ServiceView {
  /** Undefined: the service was removed and its tasks are left. */
  readonly service: Service | undefined
  readonly tasks: readonly Task[]
  node(id: string): Node | undefined
  /** All nodes; asked by global services. */
  nodes(): Iterable<Node>
  readonly taskHistoryLimit: number
  readonly drainOrder: 'start-first' | 'stop-first'
}

/** The manager wants it to run (or to be ready to). */
export const isWanted = (task: Task): boolean => !isTerminal(task.desiredState)

export const hasEnded = (task: Task): boolean => isTerminal(task.status.state)

export type NodeVerdict = 'good' | 'lost' | 'drained' | 'unsuitable'

/** Whether a task may stay where it is. A paused node keeps what it has. */
export function judgePlace(task: Task, view: ServiceView): NodeVerdict {
  if (task.nodeId === '') return 'good'
  const node = view.node(task.nodeId)
  if (node === undefined || node.status.state === 'down') return 'lost'
  if (node.spec.availability === 'drain') return 'drained'
  if (!meetsConstraints(node, constraintsOf(view.service))) return 'unsuitable'
  return 'good'
}

export function constraintsOf(service: Service | undefined): readonly Constraint[] {
  const texts = service?.spec.template.placement?.constraints ?? []
  return texts.map(parseConstraint).filter((parsed): parsed is Constraint => !('refusal' in parsed))
}
