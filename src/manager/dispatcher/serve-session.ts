import type { Clock } from '#lib/clock.ts'
import { MureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import { update } from '#model/change.ts'
import { heartbeatMs } from '#model/defaults.ts'
import type { NodeId, TaskId } from '#model/id.ts'
import type { AgentMessage } from '#rpc/messages.ts'
import type { Peer } from '#rpc/transport.ts'
import type { Store } from '#store/contract.ts'
import type { Mirror } from '#store/mirror/view.ts'
import { transactOn } from '../transact-on.ts'
import type { UsageHistory } from '../usage/usage-history.ts'
import type { Beats } from './beats.ts'
import { greeted } from './node-record.ts'
import { managerAddresses } from './role.ts'
import { Session } from './sessions.ts'
import type { AgentStream, Sessions } from './sessions.ts'
import type { StatusWriter } from './status-writer.ts'

export interface DispatcherParts {
  readonly managerId: NodeId
  readonly store: Store
  readonly mirror: Mirror
  readonly sessions: Sessions
  readonly beats: Beats
  readonly writer: StatusWriter
  readonly usage: UsageHistory
  readonly clock: Clock
  readonly logger: Logger
}

const helloTimeoutMs = 5_000
const openingTimeoutMs = 20_000
/** Acknowledgements of one burst of stored states travel together. */
const acknowledgeAfterMs = 10

type Hello = Extract<AgentMessage, { type: 'hello' }>

/** One agent's session from its hello to its end. */
export async function serveSession(parts: DispatcherParts, stream: AgentStream): Promise<void> {
  const peer = stream.peer
  if (peer === undefined) throw new MureError('unauthenticated', 'a session needs a node certificate')
  const messages = stream[Symbol.asyncIterator]()
  const hello = await firstMessage(messages, stream)
  using wait = startWait({
    timeoutMs: openingTimeoutMs,
    signal: stream.signal,
    what: 'the store to answer for a new session',
  })
  await catchUp(parts, wait)
  if (!(await recordHello(parts, peer, hello, wait))) {
    stream.send({ type: 'removed' })
    stream.close('this node is not part of the cluster')
    return
  }
  stream.send({
    type: 'welcome',
    nodeId: peer.nodeId,
    heartbeatMs: clusterHeartbeatMs(parts.mirror),
    managers: managerAddresses(parts.mirror),
  })
  const session = new Session(peer.nodeId, hello.bootEpoch, stream)
  parts.beats.heard(peer.nodeId, hello.bootEpoch)
  parts.sessions.add(session)
  try {
    for (;;) {
      const next = await messages.next()
      if (next.done === true) break
      await hear(parts, session, next.value)
    }
  } finally {
    parts.sessions.remove(session)
  }
}

/** A manager that lags behind must not tell an agent "this is all you should run": it would stop the rest. */
async function catchUp(parts: DispatcherParts, wait: Wait): Promise<void> {
  wait.note('this manager to know the newest state')
  await parts.mirror.reached(await parts.store.currentRevision(wait), wait)
}

async function firstMessage(messages: AsyncIterator<AgentMessage>, stream: AgentStream): Promise<Hello> {
  const timer = setTimeout(() => {
    stream.close('no hello came')
  }, helloTimeoutMs)
  try {
    const first = await messages.next()
    if (first.done === true || first.value.type !== 'hello')
      throw new MureError('invalid', 'a session begins with a hello')
    return first.value
  } finally {
    clearTimeout(timer)
  }
}

async function recordHello(parts: DispatcherParts, peer: Peer, hello: Hello, wait: Wait): Promise<boolean> {
  await transactOn(parts, wait, () => {
    const node = parts.mirror.get('node', peer.nodeId)
    if (node === undefined) return undefined
    return [
      update(
        greeted(node, {
          managerId: parts.managerId,
          now: parts.clock.now(),
          remoteAddress: peer.remoteAddress,
          advertiseAddress: hello.advertiseAddress,
          dataPathAddress: hello.dataPathAddress,
          description: hello.description,
        }),
      ),
    ]
  })
  return parts.mirror.get('node', peer.nodeId) !== undefined
}

async function hear(parts: DispatcherParts, session: Session, message: AgentMessage): Promise<void> {
  switch (message.type) {
    case 'beat':
      parts.beats.heard(session.nodeId, session.bootEpoch)
      return
    case 'farewell':
      parts.beats.farewell(session.nodeId, session.bootEpoch, message.backWithinMs)
      session.stream.send({ type: 'farewell-heard' })
      return
    case 'status':
      parts.writer.submit(message.updates, acknowledger(session))
      return
    case 'applied':
      session.applied = message.sequence
      return
    case 'data-plane-applied':
      parts.sessions.dataPlaneApplied(session, message.sequence)
      return
    case 'description': {
      using wait = startWait({
        timeoutMs: openingTimeoutMs,
        signal: session.stream.signal,
        what: 'the new description of a node to be stored',
      })
      await transactOn(parts, wait, () => {
        const node = parts.mirror.get('node', session.nodeId)
        if (node === undefined) return undefined
        const now = parts.clock.now()
        const status = { ...node.status, description: message.description }
        return [update({ ...node, meta: { ...node.meta, updatedAt: now }, status })]
      })
      return
    }
    case 'usage':
      parts.usage.add(session.nodeId, message.usage)
      return
    case 'hello':
      throw new MureError('invalid', 'a session has one hello')
  }
}

function acknowledger(session: Session): (taskId: TaskId) => void {
  let taskIds: TaskId[] = []
  return (taskId) => {
    taskIds.push(taskId)
    if (taskIds.length > 1) return
    setTimeout(() => {
      const stored = taskIds
      taskIds = []
      if (!session.stream.signal.aborted) session.stream.send({ type: 'stored', taskIds: stored })
    }, acknowledgeAfterMs)
  }
}

function clusterHeartbeatMs(mirror: Mirror): number {
  for (const cluster of mirror.list('cluster')) return heartbeatMs(cluster.spec)
  throw new MureError('unavailable', 'the cluster object is not there yet; try again in a moment')
}
