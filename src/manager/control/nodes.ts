import { MureError } from '#lib/errors.ts'
import { abortable } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { NodeId } from '#model/id.ts'
import type { Node, NodeSpec } from '#model/node.ts'
import type { Mirror, View } from '#store/mirror/view.ts'
import type { WriteOptions } from './control.ts'
import { grpcText } from './grpc-text.ts'
import type { ObjectWriter } from './objects.ts'
import { theCluster } from './the-cluster.ts'

const failedPrecondition = (text: string) =>
  new MureError('precondition', grpcText('FailedPrecondition', text), { details: { status: 400 } })

export function updateNode(
  writer: ObjectWriter,
  id: NodeId,
  version: number,
  spec: NodeSpec,
  options: WriteOptions,
): Promise<Node> {
  let isDemotion = false
  return writer.change(
    'node',
    id,
    version,
    options,
    (node) => {
      isDemotion = node.spec.role === 'manager' && spec.role === 'worker'
      if (isDemotion) refuseDemotion(writer.mirror, node)
      return { ...node, meta: writer.nextMeta(node.meta, spec.labels, options), spec }
    },
    // Two at a time could each leave enough managers, and both together none: demotions are written one by one.
    () => (isDemotion ? [theCluster(writer.mirror)] : []),
  )
}

export async function removeNode(
  writer: ObjectWriter,
  id: NodeId,
  force: boolean,
  options: WriteOptions,
): Promise<void> {
  await demoted(writer.mirror, id, options.wait)
  await writer.remove('node', id, options.wait, (node) => {
    if (node.spec.role === 'manager' || node.status.role === 'manager') {
      throw failedPrecondition(
        `node ${id} is a cluster manager and is a member of the raft cluster. It must be demoted to worker before removal`,
      )
    }
    if (!force && node.status.state !== 'down')
      throw failedPrecondition(`node ${id} is not down and can't be removed`)
  })
}

/**
 * A demotion that is on its way is waited for: Docker removes such a node at once, and scripts demote and remove in
 * one breath. Here its member of the store must have gone before.
 */
async function demoted(mirror: Mirror, id: NodeId, wait: Wait): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const look = () => {
    const node = mirror.get('node', id)
    if (node === undefined || node.spec.role === 'manager' || node.status.role === 'worker')
      resolve(undefined)
  }
  using _following = mirror.subscribe(look)
  look()
  wait.note(`node ${id} to be a manager no more`)
  await abortable(promise, wait.signal)
}

/** A demotion that would take the last manager, or the quorum with it, is refused before anything is changed. */
function refuseDemotion(view: View, node: Node): void {
  const managers = [...view.list('node')].filter((other) => other.spec.role === 'manager')
  if (managers.length === 1) throw failedPrecondition('attempting to demote the last manager of the swarm')
  const remaining = managers.filter((other) => other.meta.id !== node.meta.id)
  const reachable = remaining.filter((other) => other.status.manager?.reachability === 'reachable').length
  if (reachable < Math.floor(remaining.length / 2) + 1)
    throw failedPrecondition("can't remove member from the raft: this would result in a loss of quorum")
}
