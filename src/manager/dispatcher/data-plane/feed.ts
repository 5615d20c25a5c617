import type { DataPlaneEndpoint, DataPlaneHost, DataPlaneMember } from '#model/data-plane.ts'
import type { ObjectEvent } from '#model/change.ts'
import { networkingDefaults } from '#model/defaults.ts'
import type { NodeId } from '#model/id.ts'
import type { Task } from '#model/task.ts'
import type { DataPlaneChange, Difference } from '#rpc/messages.ts'
import type { Mirror, View } from '#store/mirror/view.ts'
import { endpointsFromService, hostFromNode, membersFromTask } from './derive.ts'

type Values = {
  readonly hosts: DataPlaneHost
  readonly members: DataPlaneMember
  readonly endpoints: DataPlaneEndpoint
}

/** Values by network, then by key. */
class ByNetwork<T extends { readonly key: string; readonly networkId: string }> {
  readonly #networks = new Map<string, Map<string, T>>()

  of(networkId: string): ReadonlyMap<string, T> {
    return this.#networks.get(networkId) ?? new Map()
  }

  put(value: T): boolean {
    const network = this.#networks.get(value.networkId) ?? new Map<string, T>()
    this.#networks.set(value.networkId, network)
    if (JSON.stringify(network.get(value.key)) === JSON.stringify(value)) return false
    network.set(value.key, value)
    return true
  }

  remove(networkId: string, key: string): boolean {
    const network = this.#networks.get(networkId)
    const was = network?.delete(key) === true
    if (network?.size === 0) this.#networks.delete(networkId)
    return was
  }
}

/** What one node's data plane was told, and what it is still to hear. */
interface Listener {
  readonly nodeId: NodeId
  readonly networks: Map<string, number>
  readonly pending: { hosts: Set<string>; members: Map<string, string>; endpoints: Map<string, string> }
  readonly send: (change: DataPlaneChange) => void
  /** Sent and not yet applied there, oldest first. */
  readonly unapplied: { readonly sequence: number; readonly revision: number }[]
  sequence: number
}

/**
 * The whole cluster's data plane, kept up to date by each change of an object, and told to each node as far as its
 * own networks and the mesh go. What one change costs depends on the nodes that it concerns, not on what there is.
 */
export class DataPlaneFeed implements Disposable {
  readonly #view: View
  readonly #hosts = new Map<string, DataPlaneHost>()
  readonly #members = new ByNetwork<DataPlaneMember>()
  readonly #endpoints = new ByNetwork<DataPlaneEndpoint>()
  /** What each task and service has contributed, so that it can be taken back. */
  readonly #ofTask = new Map<string, readonly DataPlaneMember[]>()
  readonly #ofService = new Map<string, readonly DataPlaneEndpoint[]>()
  readonly #listeners = new Map<NodeId, Listener>()
  readonly #dirty = new Set<Listener>()
  readonly #subscription: Disposable
  #ingressId: string | undefined
  #revision: number
  #flushing: NodeJS.Immediate | undefined

  constructor(mirror: Mirror) {
    this.#view = mirror
    this.#revision = mirror.revision
    for (const network of mirror.list('network')) if (network.spec.ingress) this.#ingressId = network.meta.id
    for (const node of mirror.list('node')) this.#putHost(node.meta.id)
    for (const service of mirror.list('service')) this.#putService(service.meta.id)
    for (const task of mirror.list('task')) this.#putTask(task.meta.id, task)
    this.#subscription = mirror.subscribe((events, revision) => {
      this.#revision = revision
      for (const event of events) this.#hear(event)
      this.#schedule()
    })
  }

  /** Tells a node everything that concerns it, and from then on what changes. */
  add(nodeId: NodeId, send: (change: DataPlaneChange) => void): void {
    const pending = { hosts: new Set<string>(), members: new Map(), endpoints: new Map() }
    const listener: Listener = { nodeId, networks: new Map(), pending, send, unapplied: [], sequence: 0 }
    for (const task of this.#view.tasksOfNode(nodeId))
      for (const { networkId } of this.#ofTask.get(task.meta.id) ?? [])
        listener.networks.set(networkId, (listener.networks.get(networkId) ?? 0) + 1)
    this.#listeners.set(nodeId, listener)
    const networks = this.#networksOf(listener)
    this.#send(listener, {
      full: true,
      hosts: { put: [...this.#hosts.values()], remove: [] },
      members: { put: networks.flatMap((id) => [...this.#members.of(id).values()]), remove: [] },
      endpoints: { put: networks.flatMap((id) => [...this.#endpoints.of(id).values()]), remove: [] },
    })
  }

  /** The node's kernel does what it was told up to this sequence. */
  applied(nodeId: NodeId, sequence: number): void {
    const unapplied = this.#listeners.get(nodeId)?.unapplied ?? []
    while ((unapplied[0]?.sequence ?? Number.POSITIVE_INFINITY) <= sequence) unapplied.shift()
  }

  /** Every node that is told here has applied all up to this revision. */
  appliedRevision(): number {
    if (this.#dirty.size > 0) return 0
    // What this manager has not heard of yet is not applied either.
    let revision = this.#revision
    for (const { unapplied } of this.#listeners.values())
      if (unapplied[0] !== undefined) revision = Math.min(revision, unapplied[0].revision - 1)
    return revision
  }

  remove(nodeId: NodeId): void {
    const listener = this.#listeners.get(nodeId)
    if (listener !== undefined) this.#dirty.delete(listener)
    this.#listeners.delete(nodeId)
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]()
    clearImmediate(this.#flushing)
  }

  #networksOf(listener: Listener): string[] {
    return [
      ...new Set([...listener.networks.keys(), ...(this.#ingressId === undefined ? [] : [this.#ingressId])]),
    ]
  }

  #hear(event: ObjectEvent): void {
    switch (event.kind) {
      case 'task':
        return this.#hearTask(event as ObjectEvent<'task'>)
      case 'service': {
        const id = (event.after ?? event.before)?.meta.id
        if (id !== undefined) this.#putService(id)
        return
      }
      case 'node': {
        const id = (event.after ?? event.before)?.meta.id
        if (id !== undefined) this.#putHost(id)
        return
      }
      case 'network': {
        const { before, after } = event as ObjectEvent<'network'>
        const was = this.#ingressId
        if (after?.spec.ingress === true) this.#ingressId = after.meta.id
        else if (before?.meta.id === this.#ingressId) this.#ingressId = undefined
        if (was === this.#ingressId) return
        // What is published is published on the new one, and only who is on the old one hears more of it.
        if (was !== undefined) for (const listener of this.#listeners.values()) this.#tellAll(listener, was)
        for (const service of this.#view.list('service')) this.#putService(service.meta.id)
        if (this.#ingressId !== undefined)
          for (const listener of this.#listeners.values()) this.#tellAll(listener, this.#ingressId)
        return
      }
      case 'cluster':
      case 'secret':
      case 'config':
        return
    }
  }

  #hearTask({ before, after }: ObjectEvent<'task'>): void {
    const task = after ?? before
    if (task !== undefined) this.#putTask(task.meta.id, after)
  }

  #putTask(id: string, after: Task | undefined): void {
    const was = this.#ofTask.get(id) ?? []
    if (was.length === 0 && (after?.attachments.length ?? 0) === 0) return
    const now = after === undefined ? [] : membersFromTask(after)
    if (now.length === 0) this.#ofTask.delete(id)
    else this.#ofTask.set(id, now)
    const isSame = (a: DataPlaneMember) => (b: DataPlaneMember) => a.key === b.key && a.nodeId === b.nodeId
    for (const member of now) {
      if (!was.some(isSame(member))) this.#uses(member.nodeId, member.networkId, 1)
      if (this.#members.put(member)) this.#mark('members', member.networkId, member.key)
    }
    for (const member of was) {
      if (!now.some(isSame(member))) this.#uses(member.nodeId, member.networkId, -1)
      if (now.some(({ key }) => key === member.key)) continue
      if (this.#members.remove(member.networkId, member.key))
        this.#mark('members', member.networkId, member.key)
    }
  }

  #putService(id: string): void {
    const service = this.#view.get('service', id)
    const was = this.#ofService.get(id) ?? []
    const now = service === undefined ? [] : endpointsFromService(service, this.#ingressId)
    if (now.length === 0) this.#ofService.delete(id)
    else this.#ofService.set(id, now)
    for (const endpoint of now)
      if (this.#endpoints.put(endpoint)) this.#mark('endpoints', endpoint.networkId, endpoint.key)
    for (const { networkId, key } of was)
      if (!now.some((other) => other.key === key) && this.#endpoints.remove(networkId, key))
        this.#mark('endpoints', networkId, key)
  }

  #putHost(id: string): void {
    const node = this.#view.get('node', id)
    const host = node === undefined ? undefined : hostFromNode(node)
    if (JSON.stringify(host) === JSON.stringify(this.#hosts.get(id))) return
    if (host === undefined) this.#hosts.delete(id)
    else this.#hosts.set(id, host)
    for (const listener of this.#listeners.values()) {
      listener.pending.hosts.add(id)
      this.#dirty.add(listener)
    }
  }

  /** A node has one more task on a network, or one less: with its first it hears of the whole network. */
  #uses(nodeId: string, networkId: string, difference: 1 | -1): void {
    const listener = this.#listeners.get(nodeId as NodeId)
    if (listener === undefined) return
    const count = (listener.networks.get(networkId) ?? 0) + difference
    if (count > 0) listener.networks.set(networkId, count)
    else listener.networks.delete(networkId)
    const isFirst = difference === 1 && count === 1
    const isLast = difference === -1 && count <= 0
    if ((!isFirst && !isLast) || networkId === this.#ingressId) return
    this.#tellAll(listener, networkId)
  }

  /** All there is on a network, or that nothing of it concerns the node any more. */
  #tellAll(listener: Listener, networkId: string): void {
    for (const key of this.#members.of(networkId).keys()) listener.pending.members.set(key, networkId)
    for (const key of this.#endpoints.of(networkId).keys()) listener.pending.endpoints.set(key, networkId)
    this.#dirty.add(listener)
  }

  #mark(what: 'members' | 'endpoints', networkId: string, key: string): void {
    for (const listener of this.#listeners.values()) {
      if (networkId !== this.#ingressId && !listener.networks.has(networkId)) continue
      listener.pending[what].set(key, networkId)
      this.#dirty.add(listener)
    }
  }

  #send(listener: Listener, change: Omit<DataPlaneChange, 'sequence' | 'port'>): void {
    listener.sequence += 1
    listener.unapplied.push({ sequence: listener.sequence, revision: this.#revision })
    listener.send({ ...change, sequence: listener.sequence, port: this.#port() })
  }

  #port(): number {
    for (const cluster of this.#view.list('cluster')) return cluster.status.networking.dataPathPort
    return networkingDefaults.dataPathPort
  }

  #schedule(): void {
    this.#flushing ??= setImmediate(() => {
      this.#flushing = undefined
      for (const listener of this.#dirty) this.#flush(listener)
      this.#dirty.clear()
    })
  }

  #flush(listener: Listener): void {
    const { pending } = listener
    const knows = (networkId: string) => networkId === this.#ingressId || listener.networks.has(networkId)
    const members = difference(pending.members, (key, id) =>
      knows(id) ? this.#members.of(id).get(key) : undefined,
    )
    const endpoints = difference(pending.endpoints, (key, id) =>
      knows(id) ? this.#endpoints.of(id).get(key) : undefined,
    )
    const hosts: { put: Values['hosts'][]; remove: string[] } = { put: [], remove: [] }
    for (const id of pending.hosts) {
      const host = this.#hosts.get(id)
      if (host === undefined) hosts.remove.push(id)
      else hosts.put.push(host)
    }
    pending.hosts.clear()
    pending.members.clear()
    pending.endpoints.clear()
    this.#send(listener, { full: false, hosts, members, endpoints })
  }
}

function difference<T>(
  keys: ReadonlyMap<string, string>,
  find: (key: string, networkId: string) => T | undefined,
): Difference<T> {
  const put: T[] = []
  const remove: string[] = []
  for (const [key, networkId] of keys) {
    const value = find(key, networkId)
    if (value === undefined) remove.push(key)
    else put.push(value)
  }
  return { put, remove }
}
