import type { Instant } from '#lib/clock.ts'
import type { NodeId } from '#model/id.ts'
import type { Node, NodeDescription, NodeStatus } from '#model/node.ts'

export interface Greeting {
  readonly managerId: NodeId
  readonly now: Instant
  readonly remoteAddress: string
  readonly advertiseAddress: string
  readonly dataPathAddress: string | undefined
  readonly description: NodeDescription
}

/** A node as its agent's first words leave it: ready, at this address, on this manager. */
export function greeted(node: Node, greeting: Greeting): Node {
  const address = greeting.advertiseAddress === '' ? greeting.remoteAddress : greeting.advertiseAddress
  const status: NodeStatus = {
    ...node.status,
    state: 'ready',
    message: '',
    address: withoutPort(address),
    description: greeting.description,
    session: { managerId: greeting.managerId, startedAt: greeting.now },
    ...(greeting.dataPathAddress === undefined ? {} : { dataPathAddress: greeting.dataPathAddress }),
  }
  return {
    ...node,
    meta: { ...node.meta, name: greeting.description.hostname, updatedAt: greeting.now },
    status,
  }
}

/** `host:port`, `[v6]:port`, or a bare address, without the port; an IPv4 address in IPv6 clothes as IPv4. */
export function withoutPort(address: string): string {
  const bracketed = /^\[(.+)\](?::\d+)?$/.exec(address)?.[1]
  const bare = bracketed ?? (address.split(':').length === 2 ? (address.split(':')[0] ?? '') : address)
  return bare.replace(/^::ffff:/, '')
}
