import { atVersion } from '#model/file-version.ts'
import type { NodeId, TaskId } from '#model/id.ts'
import type { Network } from '#model/network.ts'
import type { Config, Secret } from '#model/secret.ts'
import { isLive, isRunnable } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import type { Assignments, Difference } from '#rpc/messages.ts'
import type { View } from '#store/mirror/view.ts'

/** Everything one node has to know: its tasks, and what those of them that may still run refer to. */
export interface AssignmentSet {
  readonly tasks: Map<TaskId, Task>
  readonly secrets: Map<string, Secret>
  readonly configs: Map<string, Config>
  readonly networks: Map<string, Network>
}

export const emptyAssignments = (): AssignmentSet => ({
  tasks: new Map(),
  secrets: new Map(),
  configs: new Map(),
  networks: new Map(),
})

/**
 * The node's set. Ended tasks stay in it for as long as they are kept in the store, because their containers
 * (and logs) are kept as long; secrets and configs go only to nodes with a live task that uses them.
 */
export function assignmentsFor(view: View, nodeId: NodeId): AssignmentSet {
  const set = emptyAssignments()
  for (const task of view.tasksOfNode(nodeId)) {
    if (!isHandedOut(task)) continue
    set.tasks.set(task.meta.id, task)
    if (refersNow(task)) addReferences(view, task, set)
  }
  // The mesh is on every host.
  for (const network of view.list('network'))
    if (network.spec.ingress) set.networks.set(network.meta.id, network)
  return set
}

/** Its node is told of it: the scheduler has confirmed that it goes there. */
export const isHandedOut = ({ status }: Task): boolean => status.state !== 'new' && status.state !== 'pending'

/** It needs what it refers to. */
export const refersNow = (task: Task): boolean => isLive(task.status.state) && isRunnable(task.desiredState)

export function addReferences(view: View, task: Task, set: AssignmentSet): void {
  for (const container of [...(task.spec.initContainers ?? []), ...task.spec.containers]) {
    for (const { secretId, version } of container.secrets ?? [])
      addVersion(set.secrets, view.get('secret', secretId), task.refresh?.versions[secretId] ?? version)
    for (const { configId, version } of container.configs ?? [])
      addVersion(set.configs, view.get('config', configId), task.refresh?.versions[configId] ?? version)
  }
  for (const attachment of task.attachments)
    addIfThere(set.networks, view.get('network', attachment.networkId))
}

function addIfThere<T extends { readonly meta: { readonly id: string } }>(
  into: Map<string, T>,
  object: T | undefined,
): void {
  if (object !== undefined) into.set(object.meta.id, object)
}

function addVersion<T extends Secret | Config>(
  into: Map<string, T>,
  object: T | undefined,
  version: number | undefined,
): void {
  if (object !== undefined) addIfThere(into, atVersion(object, version))
}

/** What turns `before` into `after`, or undefined when nothing an agent acts upon differs. */
export function diffAssignments(
  before: AssignmentSet,
  after: AssignmentSet,
): Omit<Assignments, 'full' | 'sequence'> | undefined {
  const difference = {
    tasks: diff(before.tasks, after.tasks, concernsAgent),
    secrets: diff(before.secrets, after.secrets),
    configs: diff(before.configs, after.configs),
    networks: diff(before.networks, after.networks),
  }
  const empty = Object.values(difference).every((part) => part.put.length === 0 && part.remove.length === 0)
  return empty ? undefined : difference
}

/** A full set, as a difference to nothing. */
export function fullAssignments(set: AssignmentSet): Omit<Assignments, 'full' | 'sequence'> {
  return {
    tasks: { put: [...set.tasks.values()], remove: [] },
    secrets: { put: [...set.secrets.values()], remove: [] },
    configs: { put: [...set.configs.values()], remove: [] },
    networks: { put: [...set.networks.values()], remove: [] },
  }
}

function diff<T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
  concerns: (before: T, after: T) => boolean = (a, b) => a !== b,
): Difference<T> {
  const put: T[] = []
  const remove: string[] = []
  for (const [id, object] of after) {
    const known = before.get(id)
    if (known === undefined || (known !== object && concerns(known, object))) put.push(object)
  }
  for (const id of before.keys()) if (!after.has(id)) remove.push(id)
  return { put, remove }
}

/** An agent writes a task's status itself, so a change of that alone is not sent back to it. */
export function concernsAgent(before: Task, after: Task): boolean {
  return (
    before.desiredState !== after.desiredState ||
    before.startAfter !== after.startAfter ||
    before.refresh?.generation !== after.refresh?.generation ||
    after.status.state === 'orphaned' ||
    !sameValue(before.attachments, after.attachments) ||
    !sameValue(before.ports, after.ports)
  )
}

export const sameValue = (a: unknown, b: unknown): boolean =>
  a === b || JSON.stringify(a) === JSON.stringify(b)
