import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'
import type { ObjectEvent } from '#model/change.ts'
import { heartbeatMs } from '#model/defaults.ts'
import type { NodeId, TaskId } from '#model/id.ts'
import type { AgentMessage, ManagerAddress, ManagerMessage } from '#rpc/messages.ts'
import type { MessageStream } from '#rpc/transport.ts'
import type { Mirror } from '#store/mirror/view.ts'
import { hasFollowed, trustOf } from '#security/root-ca.ts'
import { DataPlaneFeed } from './data-plane/feed.ts'
import { Withdrawals } from './data-plane/withdrawals.ts'
import { KnownAssignments } from './known-assignments.ts'
import { IngressFeed } from '../ingress/feed.ts'
import { managerAddresses, roleFor } from './role.ts'

export type AgentStream = MessageStream<AgentMessage, ManagerMessage>

/** An agent that reads slower than this is behind is told nothing more until it has caught up. */
const maxPendingBytes = 8 * 1024 * 1024

/** One agent's session with this manager. */
export class Session {
  readonly nodeId: NodeId
  readonly bootEpoch: number
  readonly stream: AgentStream
  readonly #known: KnownAssignments
  #sequence = 0
  #role: string | undefined
  #trust: string | undefined
  /** The last sequence that the agent says it has applied. */
  applied = 0

  constructor(nodeId: NodeId, bootEpoch: number, stream: AgentStream) {
    this.nodeId = nodeId
    this.#known = new KnownAssignments(nodeId)
    this.bootEpoch = bootEpoch
    this.stream = stream
  }

  sendAll(mirror: Mirror): void {
    this.#sequence += 1
    const all = this.#known.all(mirror)
    this.stream.send({ type: 'assignments', full: true, sequence: this.#sequence, ...all })
  }

  /** `what`: the tasks that changed, if nothing else that may concern the node has. */
  sendChanges(mirror: Mirror, what: 'anything' | ReadonlySet<TaskId>): void {
    const changes = what === 'anything' ? this.#known.changes(mirror) : this.#known.changesOf(mirror, what)
    if (changes === undefined) return
    this.#sequence += 1
    this.stream.send({ type: 'assignments', full: false, sequence: this.#sequence, ...changes })
  }

  sendRole(mirror: Mirror): void {
    const node = mirror.get('node', this.nodeId)
    if (node === undefined) {
      this.stream.send({ type: 'removed' })
      this.stream.close('the node was removed from the cluster')
      return
    }
    const role = roleFor(node)
    if (role === this.#role) return
    this.#role = role
    this.stream.send({ type: 'role', role })
  }

  /** The roots that count, whenever they change; a node whose certificate is not of the newest is to renew it. */
  sendTrust(mirror: Mirror): void {
    for (const { status } of mirror.list('cluster')) {
      const certificates = trustOf(status.rootCa)
      if (certificates === this.#trust) continue
      this.#trust = certificates
      const tls = mirror.get('node', this.nodeId)?.status.description?.tls
      this.stream.send({ type: 'trust', certificates, renew: !hasFollowed(tls, status.rootCa) })
    }
  }
}

/** All sessions of this manager. Follows the mirror and tells each agent what concerns it, once for each burst of changes. */
export class Sessions implements Disposable {
  readonly #byNode = new Map<NodeId, Session>()
  readonly #dirty = new Map<NodeId, 'anything' | Set<TaskId>>()
  readonly #mirror: Mirror
  readonly #logger: Logger
  readonly #subscription: Disposable
  readonly #feed: DataPlaneFeed
  readonly #ingress: IngressFeed
  readonly withdrawals: Withdrawals
  #flushing: NodeJS.Immediate | NodeJS.Timeout | undefined
  #managers: string
  #heartbeatMs: number | undefined

  constructor(parts: { mirror: Mirror; clock: Clock; logger: Logger }) {
    this.#mirror = parts.mirror
    this.#logger = parts.logger
    this.#feed = new DataPlaneFeed(parts.mirror)
    this.#ingress = new IngressFeed(parts.mirror, parts.clock)
    this.withdrawals = new Withdrawals({
      mirror: parts.mirror,
      feed: this.#feed,
      tell: (nodeId, taskIds) => this.#byNode.get(nodeId)?.stream.send({ type: 'withdrawn', taskIds }),
    })
    this.#managers = JSON.stringify(managerAddresses(parts.mirror))
    this.#subscription = parts.mirror.subscribe((events) => {
      this.#hear(events)
    })
  }

  get(nodeId: NodeId): Session | undefined {
    return this.#byNode.get(nodeId)
  }

  get count(): number {
    return this.#byNode.size
  }

  /** The later of two sessions of a node is the real one; the other is closed. */
  add(session: Session): void {
    const older = this.#byNode.get(session.nodeId)
    this.#byNode.set(session.nodeId, session)
    older?.stream.close('replaced by a newer session of the same node')
    this.#feed.add(session.nodeId, (change) => {
      session.stream.send({ type: 'data-plane', ...change })
    })
    session.sendAll(this.#mirror)
    this.#ingress.add(session.nodeId, (configuration) => {
      session.stream.send({ type: 'ingress', ...(configuration === undefined ? {} : { configuration }) })
    })
    session.sendRole(this.#mirror)
    session.sendTrust(this.#mirror)
    this.withdrawals.opened(session.nodeId)
    this.#logger.info('session opened', { node: session.nodeId })
  }

  remove(session: Session): void {
    if (this.#byNode.get(session.nodeId) !== session) return
    this.#byNode.delete(session.nodeId)
    this.#feed.remove(session.nodeId)
    this.#ingress.remove(session.nodeId)
    this.withdrawals.check()
    this.#logger.info('session closed', { node: session.nodeId })
  }

  dataPlaneApplied(session: Session, sequence: number): void {
    if (this.#byNode.get(session.nodeId) !== session) return
    this.#feed.applied(session.nodeId, sequence)
    this.withdrawals.check()
  }

  /** Every node with a session here has applied all up to this revision. */
  get appliedRevision(): number {
    return this.#feed.appliedRevision()
  }

  /** Sends every agent away, to another manager. */
  closeAll(reason: string): void {
    for (const session of this.#byNode.values()) session.stream.close(reason)
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]()
    this.withdrawals[Symbol.dispose]()
    this.#feed[Symbol.dispose]()
    this.#ingress[Symbol.dispose]()
    if (this.#flushing !== undefined) clearTimeout(this.#flushing as NodeJS.Timeout)
    this.closeAll('this manager stops')
  }

  #hear(events: readonly ObjectEvent[]): void {
    for (const event of events) {
      if (event.kind === 'task') this.#hearTask(event as ObjectEvent<'task'>)
      else if (event.kind === 'node') this.#hearNode(event as ObjectEvent<'node'>)
      else if (event.kind === 'cluster') this.#hearCluster()
      else if (event.kind !== 'service') for (const nodeId of this.#byNode.keys()) this.#mark(nodeId)
    }
  }

  #hearTask({ before, after }: ObjectEvent<'task'>): void {
    const id = (after ?? before)?.meta.id
    if (id === undefined) return
    if (before !== undefined && before.nodeId !== '') this.#mark(before.nodeId, id)
    if (after !== undefined && after.nodeId !== '' && after.nodeId !== before?.nodeId)
      this.#mark(after.nodeId, id)
  }

  #hearNode(event: ObjectEvent<'node'>): void {
    const nodeId = (event.after ?? event.before)?.meta.id
    if (nodeId !== undefined) this.#byNode.get(nodeId)?.sendRole(this.#mirror)
    const managers: readonly ManagerAddress[] = managerAddresses(this.#mirror)
    const text = JSON.stringify(managers)
    if (text === this.#managers) return
    this.#managers = text
    this.#broadcast({ type: 'managers', managers })
  }

  #hearCluster(): void {
    for (const cluster of this.#mirror.list('cluster')) {
      const period = heartbeatMs(cluster.spec)
      if (this.#heartbeatMs !== period) this.#broadcast({ type: 'heartbeat', heartbeatMs: period })
      this.#heartbeatMs = period
      for (const session of this.#byNode.values()) session.sendTrust(this.#mirror)
    }
  }

  #broadcast(message: ManagerMessage): void {
    for (const session of this.#byNode.values()) session.stream.send(message)
  }

  /** Without a task: something else has changed, and all of the node's set is looked at. */
  #mark(nodeId: NodeId, taskId?: TaskId): void {
    if (!this.#byNode.has(nodeId)) return
    const marked = this.#dirty.get(nodeId)
    if (taskId === undefined) this.#dirty.set(nodeId, 'anything')
    else if (marked === undefined) this.#dirty.set(nodeId, new Set([taskId]))
    else if (marked !== 'anything') marked.add(taskId)
    this.#flushing ??= setImmediate(() => {
      this.#flush()
    })
  }

  #flush(): void {
    this.#flushing = undefined
    let behind = false
    for (const [nodeId, what] of this.#dirty) {
      const session = this.#byNode.get(nodeId)
      if (session !== undefined && session.stream.pendingBytes > maxPendingBytes) {
        behind = true
        continue
      }
      this.#dirty.delete(nodeId)
      session?.sendChanges(this.#mirror, what)
    }
    if (behind) {
      this.#flushing = setTimeout(() => {
        this.#flush()
      }, 50)
    }
  }
}
