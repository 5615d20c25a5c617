import type { Duplex } from 'node:stream'
import { randomUUID } from 'node:crypto'
import { MureError } from '#lib/errors.ts'
import { abortable } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { NodeId } from '#model/id.ts'
import type { RelayRequest } from '#rpc/messages.ts'
import type { Mirror } from '#store/mirror/view.ts'
import type { ManagerLinks } from './manager-links.ts'
import { managerAddresses } from './role.ts'
import type { Sessions } from './sessions.ts'

/** Where an agent opens the stream that it was asked for. */
export const relayPath = '/v1/relay/'
/** Where a manager asks another, the one with the node's session, to relay. */
export const relayThroughPath = '/v1/relay-through/'

/**
 * Reaches the engine of any node. Agents listen nowhere: the manager that holds a node's session asks it to open a
 * stream back, and other managers go through that one.
 */
export class Relays {
  readonly #managerId: NodeId
  readonly #sessions: Sessions
  readonly #mirror: Mirror
  readonly #links: ManagerLinks
  readonly #expected = new Map<string, (bytes: Duplex) => void>()

  constructor(parts: { managerId: NodeId; sessions: Sessions; mirror: Mirror; links: ManagerLinks }) {
    this.#managerId = parts.managerId
    this.#sessions = parts.sessions
    this.#mirror = parts.mirror
    this.#links = parts.links
  }

  /** A byte stream to the node's engine that carries this one request. */
  async open(nodeId: NodeId, request: RelayRequest, wait: Wait): Promise<Duplex> {
    const node = this.#mirror.get('node', nodeId)
    if (node === undefined) throw new MureError('not-found', `node ${nodeId} not found`)
    wait.note(`node ${node.meta.name} to open a stream`)
    if (this.#sessions.get(nodeId) !== undefined) return this.openLocal(nodeId, request, wait)
    const holder = node.status.session?.managerId
    const address = managerAddresses(this.#mirror).find((manager) => manager.nodeId === holder)?.address
    if (
      node.status.state !== 'ready' ||
      holder === undefined ||
      holder === this.#managerId ||
      address === undefined
    )
      throw new MureError('unavailable', `node ${node.meta.name} is not connected to the cluster now`)
    const link = await this.#links.to(address, wait)
    const question = Buffer.from(JSON.stringify({ nodeId, request })).toString('base64url')
    return link.openRaw(`${relayThroughPath}${question}`, wait)
  }

  /** As `open`, for a node whose session is here. */
  async openLocal(nodeId: NodeId, request: RelayRequest, wait: Wait): Promise<Duplex> {
    const session = this.#sessions.get(nodeId)
    if (session === undefined)
      throw new MureError('unavailable', `node ${nodeId} has no session with this manager`)
    const id = randomUUID()
    const opened = new Promise<Duplex>((resolve) => this.#expected.set(id, resolve))
    try {
      session.stream.send({ type: 'relay', id, request })
      return await abortable(
        opened,
        AbortSignal.any([wait.signal, session.stream.signal]),
        'the node to open a stream',
      )
    } finally {
      this.#expected.delete(id)
    }
  }

  /** An agent has opened the stream it was asked for. Resolves once the stream is over. */
  async accept(id: string, bytes: Duplex): Promise<void> {
    const deliver = this.#expected.get(id)
    if (deliver === undefined) {
      throw new MureError('not-found', 'nobody waits for this stream any more')
    }
    deliver(bytes)
    await closed(bytes)
  }

  /** Another manager wants to reach a node whose session is here. */
  async through(question: string, bytes: Duplex, wait: Wait): Promise<void> {
    const { nodeId, request } = JSON.parse(Buffer.from(question, 'base64url').toString()) as {
      nodeId: NodeId
      request: RelayRequest
    }
    const node = await this.openLocal(nodeId, request, wait)
    bytes.pipe(node)
    node.pipe(bytes)
    const end = () => {
      bytes.destroy()
      node.destroy()
    }
    bytes.on('error', end)
    node.on('error', end)
    await Promise.all([closed(bytes), closed(node)])
  }
}

function closed(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) resolve()
    else stream.once('close', resolve)
  })
}
