import type { Duplex } from 'node:stream'
import { MureError } from '#lib/errors.ts'
import { startWait } from '#lib/wait.ts'
import type { NodeId } from '#model/id.ts'
import { imageFetchPath, imageSendPath, imageSharePath } from '#rpc/image-messages.ts'
import type { ImageFetch, ShareAnswer, ShareRequest } from '#rpc/image-messages.ts'
import type { RpcServer } from '#rpc/transport.ts'
import type { Mirror } from '#store/mirror/view.ts'
import type { ManagerLinks } from '../dispatcher/manager-links.ts'
import type { Relays } from '../dispatcher/relays.ts'
import { leaderOf } from '../dispatcher/role.ts'
import type { ImageShares, ShareStream } from './shares.ts'

const openTimeoutMs = 10_000
/** Another manager asks for one of its nodes. */
const sharePathFor = '/v1/images/share-for'

interface Parts {
  readonly managerId: NodeId
  readonly mirror: Mirror
  readonly links: ManagerLinks
  readonly relays: Relays
  readonly shares: ImageShares
}

/** Nodes have images from one another: the leader says from whom, and whoever they are connected to brings them together. */
export function serveImages(server: RpcServer, parts: Parts): void {
  server.stream<ShareRequest, ShareAnswer>(imageSharePath, 'node', async (stream) => {
    const nodeId = stream.peer?.nodeId
    if (nodeId === undefined) return
    const leader = leaderOf(parts.mirror)
    const address = leader?.status.manager?.address
    if (leader === undefined || address === undefined || leader.meta.id === parts.managerId)
      await parts.shares.serve(nodeId, stream)
    else await askLeader(parts, address, nodeId, stream)
  })
  server.stream<ShareRequest | { readonly type: 'for'; readonly nodeId: NodeId }, ShareAnswer>(
    sharePathFor,
    'manager',
    async (stream) => {
      const messages = stream[Symbol.asyncIterator]()
      const first = await messages.next()
      if (first.done !== true && first.value.type === 'for')
        await parts.shares.serve(first.value.nodeId, stream as ShareStream)
    },
  )
  server.raw(imageFetchPath, 'node', async (question, bytes, peer) => {
    if (peer === undefined) throw new MureError('unauthenticated', 'a node certificate is needed')
    const fetch = JSON.parse(Buffer.from(question, 'base64url').toString()) as ImageFetch
    if (!needs(parts.mirror, peer.nodeId, fetch.image))
      throw new MureError('forbidden', `no task of this node needs the image ${fetch.image}`)
    using wait = startWait({ timeoutMs: openTimeoutMs, what: 'the node with the image to answer' })
    const request = { method: 'POST', path: imageSendPath, headers: {} }
    join(bytes, await parts.relays.open(fetch.from, request, wait))
  })
}

async function askLeader(parts: Parts, address: string, nodeId: NodeId, stream: ShareStream): Promise<void> {
  using wait = startWait({ timeoutMs: openTimeoutMs, what: 'the leader to say who has the image' })
  const link = await parts.links.to(address, wait)
  await using leader = await link.open<ShareAnswer, ShareRequest | { type: 'for'; nodeId: NodeId }>(
    sharePathFor,
    wait,
  )
  leader.send({ type: 'for', nodeId })
  const questions = (async () => {
    for await (const message of stream) leader.send(message)
    leader.close()
  })()
  for await (const answer of leader) stream.send(answer)
  stream.close()
  await questions.catch(() => undefined)
}

/** A node is given images of its own tasks, and no others. */
function needs(mirror: Mirror, nodeId: NodeId, image: string): boolean {
  for (const task of mirror.tasksOfNode(nodeId))
    if (task.spec.containers.some((container) => container.image === image)) return true
  return false
}

function join(one: Duplex, other: Duplex): void {
  one.pipe(other)
  other.pipe(one)
  const end = () => {
    one.destroy()
    other.destroy()
  }
  one.once('error', end)
  other.once('error', end)
}
