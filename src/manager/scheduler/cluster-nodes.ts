import type { NodeId, TaskId } from '#model/id.ts'
import type { Node } from '#model/node.ts'
import { compareStates, isLive } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import { NodeInfo } from './node-info.ts'

/**
 * All nodes with what runs on them, kept up to date one change at a time. Putting a task again replaces what was
 * counted for it, so that a decision can be counted before it is stored and heard of afterwards.
 */
export class ClusterNodes {
  readonly #infos = new Map<NodeId, NodeInfo>()
  readonly #counted = new Map<TaskId, Task>()

  constructor(nodes: Iterable<Node>, tasks: Iterable<Task>) {
    for (const node of nodes) this.#infos.set(node.meta.id, new NodeInfo(node))
    for (const task of tasks) {
      this.putTask(task)
      if (hasFailed(task)) this.#noteFailure(task)
    }
  }

  get infos(): ReadonlyMap<NodeId, NodeInfo> {
    return this.#infos
  }

  /** `tasks`: those of the node, asked for when it is new. */
  putNode(node: Node, tasks: Iterable<Task>): void {
    const before = this.#infos.get(node.meta.id)
    const info = new NodeInfo(node)
    this.#infos.set(node.meta.id, info)
    if (before !== undefined) {
      info.inherit(before)
      return
    }
    for (const task of tasks) {
      this.#counted.delete(task.meta.id)
      this.putTask(task)
      if (hasFailed(task)) this.#noteFailure(task)
    }
  }

  removeNode(id: NodeId): void {
    this.#infos.delete(id)
  }

  putTask(task: Task): void {
    const before = this.#counted.get(task.meta.id)
    if (before !== undefined) this.#infoOf(before)?.remove(before)
    if (task.nodeId !== '' && isLive(task.status.state) && !isUnassigned(task)) {
      this.#counted.set(task.meta.id, task)
      this.#infoOf(task)?.add(task)
    } else {
      this.#counted.delete(task.meta.id)
      if (before !== undefined && hasFailed(task)) this.#noteFailure(task)
    }
  }

  /** The scheduler has counted this placement already, on the node itself: from now on it is known by its task. */
  adopt(placed: Task): void {
    this.#counted.set(placed.meta.id, placed)
    this.#infoOf(placed)?.hold(placed)
  }

  removeTask(id: TaskId): void {
    const before = this.#counted.get(id)
    if (before === undefined) return
    this.#counted.delete(id)
    this.#infoOf(before)?.remove(before)
  }

  #infoOf(task: Task): NodeInfo | undefined {
    return task.nodeId === '' ? undefined : this.#infos.get(task.nodeId)
  }

  #noteFailure(task: Task): void {
    this.#infoOf(task)?.addFailure(task)
  }
}

/** It may name its node already (a global service's, a place, a move), but holds nothing there until it is placed. */
const isUnassigned = ({ status }: Task): boolean => compareStates(status.state, 'assigned') < 0

const hasFailed = (task: Task): boolean => task.status.state === 'failed' || task.status.state === 'rejected'

/** Nodes with what runs on them, as they are now. */
export const nodeInfos = (nodes: Iterable<Node>, tasks: Iterable<Task>): ReadonlyMap<NodeId, NodeInfo> =>
  new ClusterNodes(nodes, tasks).infos
