import { randomBytes } from 'node:crypto'
import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'
import type { Random } from '#lib/random.ts'
import { startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { NodeId } from '#model/id.ts'
import { connectRpc } from '#rpc/client.ts'
import type { AgentMessage, BeatsAnswer, BeatsReport, ManagerMessage } from '#rpc/messages.ts'
import { startRpcServer } from '#rpc/server.ts'
import type { Identity, RpcServer } from '#rpc/transport.ts'
import { createJoinToken } from '#security/join-token.ts'
import type { KeyRing } from '#security/seal.ts'
import { createUnlockKey } from '#security/unlock-key.ts'
import { sealingCodec } from '#store/codec.ts'
import { EtcdStore } from '#store/etcd/store.ts'
import { startMirror } from '#store/mirror/mirror.ts'
import type { Mirror } from '#store/mirror/view.ts'
import { CatchUp } from './catch-up.ts'
import type { Control } from './control/control.ts'
import { createControl } from './control/create-control.ts'
import { beatsPath, reportBeats, reportOnce } from './dispatcher/beat-reporter.ts'
import { sendAgentsAwayWhenCutOff } from './dispatcher/cut-off.ts'
import { Beats } from './dispatcher/beats.ts'
import { ManagerLinks } from './dispatcher/manager-links.ts'
import { roleFor } from './dispatcher/role.ts'
import { Relays, relayPath, relayThroughPath } from './dispatcher/relays.ts'
import { serveAttachments } from './dispatcher/serve-attachments.ts'
import { serveSession } from './dispatcher/serve-session.ts'
import { Sessions } from './dispatcher/sessions.ts'
import { StatusWriter } from './dispatcher/status-writer.ts'
import { pushImage } from './images/push.ts'
import { serveImages } from './images/serve-images.ts'
import { ImageShares } from './images/shares.ts'
import { lead } from './leader.ts'
import { serveCertificates } from './membership/certificates.ts'
import type { EtcdMember } from './membership/etcd/member.ts'
import { issueOwnStorePeer, resign, serveMembers } from './membership/members.ts'
import { outsideAuthorities } from './membership/signing.ts'
import { standDown } from './membership/stand-down.ts'
import { UsageHistory } from './usage/usage-history.ts'
import { clusterUsage, serveUsage, usageOf } from './usage/usage-reader.ts'

export interface ManagerOptions {
  readonly nodeId: NodeId
  readonly clusterId: string
  readonly identity: () => Identity
  readonly keyRing: () => KeyRing
  readonly member: EtcdMember
  readonly listen: { readonly host: string; readonly port: number }
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** A running manager: the store's mirror, the door to it, and the calls of agents and other managers. */
export interface Manager extends AsyncDisposable {
  readonly control: Control
  readonly mirror: Mirror
  readonly store: EtcdStore
  readonly port: number
  setIdentity(identity: Identity): void
  /** Resolves when the mirror knows all that was acknowledged before the call. Never rejects, nor waits for long. */
  caughtUp(): Promise<void>
  /** A certificate for this manager's own member of the store. */
  issueStorePeer(csr: string): Promise<string>
  /** The leader hears once more what this manager has heard: it is about to stop for a moment. */
  reportBeats(signal: AbortSignal): Promise<void>
  /** This manager leaves: its record and its member go, the record first, while it can still be written. */
  resign(wait: Wait): Promise<void>
}

/** Its mirror is there when this resolves, which it does not before the store answers. */
export async function startManager(options: ManagerOptions, wait: Wait): Promise<Manager> {
  const { nodeId, member, clock, random, logger } = options
  await using started = new AsyncDisposableStack()
  const stop = new AbortController()
  const abort = () => {
    stop.abort(wait.signal.reason)
  }
  started.defer(abort)
  wait.signal.addEventListener('abort', abort, { once: true })
  const store = new EtcdStore({ client: member.client, codec: sealingCodec(options.keyRing), logger })
  // The listener first: a new manager cannot catch up before others have reached it.
  const roles: { mirror?: Mirror } = {}
  const isManager = (id: NodeId): boolean => {
    const node = roles.mirror?.get('node', id)
    return node !== undefined && roleFor(node) === 'manager'
  }
  const server = started.use(
    await startRpcServer({ ...options.listen, ...serverOptions(options), isManager }),
  )
  const mirror = await startMirror(store, stop.signal, logger)
  roles.mirror = mirror
  const writer = started.use(new StatusWriter({ store, mirror, clock, logger }))
  const sessions = started.use(new Sessions({ mirror, clock, logger }))
  started.use(disconnectRemoved(mirror, server))
  const beats = new Beats(clock)
  const links = started.use(
    new ManagerLinks((address, wait) => {
      const identity = options.identity()
      return connectRpc(address, { identity, trust: identity.trust, clock }, wait)
    }),
  )
  const relays = new Relays({ managerId: nodeId, sessions, mirror, links })
  const { identity } = options
  const usage = new UsageHistory(() => clock.now())
  const parts = {
    managerId: nodeId,
    store,
    mirror,
    sessions,
    beats,
    writer,
    usage,
    clock,
    random,
    logger,
    links,
    identity,
  }
  const memberParts = {
    ...parts,
    members: member.members,
    dataKeys: () => options.keyRing().keys.map(({ id, key }) => ({ id, key: key.toString('base64') })),
  }
  const control = createControl({
    store,
    mirror,
    clock,
    random,
    tokens: {
      joinToken: (cluster) => createJoinToken(cluster.status.rootCa.certificate),
      unlockKey: createUnlockKey,
      outsideAuthorities: (cluster, wait) => outsideAuthorities({ clock, identity }, cluster, wait),
      accessKey: () => randomBytes(32).toString('base64'),
    },
    relay: (id, request, wait) => relays.open(id, request, wait),
    pushImage: (push, signal) => pushImage({ mirror, relays }, push, signal),
    usage: (wait) => clusterUsage(parts, wait),
    usageOf: (id, wait) => usageOf(parts, id, wait),
  })
  serveCertificates(server, parts)
  serveMembers(server, memberParts)
  serveAgents(server, parts, relays)
  serveAttachments(server, control)
  serveImages(server, { ...parts, relays, shares: new ImageShares({ mirror, relays, clock, logger }) })
  started.use(serveUsage(server, parts))
  const reports = { failing: false }
  const background = Promise.all([
    lead(memberParts, stop.signal),
    reportBeats({ ...parts, reports }, stop.signal),
    sendAgentsAwayWhenCutOff({ ...parts, reports }, stop.signal),
    standDown(memberParts, stop.signal),
  ])
  background.catch((error: unknown) => {
    if (!stop.signal.aborted) logger.error('a manager loop ended', { error })
  })
  started.defer(async () => {
    stop.abort()
    await background.catch(() => undefined)
  })
  const catchUp = new CatchUp(store, mirror)
  wait.signal.removeEventListener('abort', abort)
  wait.check()
  const owned = started.move()
  return {
    control,
    caughtUp: () => catchUp.now(),
    mirror,
    store,
    port: server.port,
    setIdentity: (identity) => {
      server.setIdentity(identity)
    },
    issueStorePeer: (csr) => issueOwnStorePeer(memberParts, nodeId, csr),
    reportBeats: (signal) => reportOnce({ ...parts, reports }, signal),
    resign: (wait) => resign(memberParts, nodeId, wait),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** A removed node has been told so on its session by then. */
const removedMayStayMs = 1_000

function disconnectRemoved(mirror: Mirror, server: RpcServer): Disposable {
  return mirror.subscribe((events) => {
    for (const { kind, before, after } of events)
      if (kind === 'node' && before !== undefined && after === undefined)
        setTimeout(() => {
          server.disconnect(before.meta.id as NodeId)
        }, removedMayStayMs).unref()
  })
}

function serverOptions(options: ManagerOptions) {
  const { clusterId, clock, logger } = options
  return { identity: options.identity(), clusterId, clock, logger }
}

function serveAgents(server: RpcServer, parts: Parameters<typeof serveSession>[0], relays: Relays): void {
  server.stream<AgentMessage, ManagerMessage>('/v1/session', 'node', (stream) => serveSession(parts, stream))
  server.unary<BeatsReport, BeatsAnswer>('POST', beatsPath, 'manager', async ({ body }) => {
    parts.beats.take(body)
    return { appliedRevision: parts.beats.appliedBesides(body.managerId) }
  })
  server.raw(relayPath, 'node', (id, bytes) => relays.accept(id, bytes))
  server.raw(relayThroughPath, 'manager', async (question, bytes) => {
    using wait = startWait({ timeoutMs: 10_000, what: 'a node to open a stream' })
    await relays.through(question, bytes, wait)
  })
}
