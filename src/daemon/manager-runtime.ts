import { rm } from 'node:fs/promises'
import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'
import type { Random } from '#lib/random.ts'
import { startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { Manager } from '#manager/manager.ts'
import { startManager } from '#manager/manager.ts'
import { membersPath } from '#manager/membership/members.ts'
import { memberDataDir } from '#manager/membership/etcd/data-dir.ts'
import { startEtcdMember } from '#manager/membership/etcd/member.ts'
import type { EtcdMember } from '#manager/membership/etcd/member.ts'
import { connectRpc } from '#rpc/client.ts'
import type { MemberJoinAnswer, MemberJoinRequest } from '#rpc/messages.ts'
import { createRequest } from '#security/authority.ts'
import type { KeyRing } from '#security/seal.ts'
import { parseUnlockKey } from '#security/unlock-key.ts'
import { joinHostPort, splitHostPort } from './addresses.ts'
import type { Credentials } from './credentials.ts'
import { freePort } from './free-port.ts'
import { followLock } from './lock.ts'
import type { NodeState } from './node-state.ts'
import { keepStorePeer } from './store-peer.ts'

/** A manager with the member of the store that it stands on. */
export interface ManagerRuntime extends AsyncDisposable {
  readonly manager: Manager
  readonly member: EtcdMember
  /** From now on, the key file is locked as the cluster says. */
  followLock(logger: Logger): void
}

export interface RuntimeParts {
  readonly dataDir: string
  readonly runDir: string
  readonly credentials: Credentials
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export type StartMode =
  | { readonly type: 'new' }
  | { readonly type: 'restart' }
  | { readonly type: 'force-new' }
  | { readonly type: 'join'; readonly initialCluster: string }

/** Peers are heard three ports above the cluster's own where that is free: 2380 for 2377. */
export async function choosePeerUrl(listenAddress: string, advertiseAddress: string): Promise<string> {
  const listen = splitHostPort(listenAddress, 2377) ?? { host: '0.0.0.0', port: 2377 }
  const advertise = splitHostPort(advertiseAddress, 2377) ?? listen
  const port = await freePort(listen.host, listen.port + 3)
  return `https://${joinHostPort({ host: advertise.host, port })}`
}

export function keyRingOf(credentials: Credentials): KeyRing {
  const keys = credentials.keys.dataKeys ?? []
  return { keys: keys.map(({ id, key }) => ({ id, key: Buffer.from(key, 'base64') })) }
}

type ManagerState = NodeState & { readonly peerUrl: string }

/** Starts this manager's member of the store, and waits until it answers. */
export function startStoreMember(
  parts: RuntimeParts,
  state: ManagerState,
  mode: StartMode,
  wait: Wait,
): Promise<EtcdMember> {
  const { credentials, logger } = parts
  const listen = splitHostPort(state.listenAddress, 2377) ?? { host: '0.0.0.0', port: 2377 }
  const peer = new URL(state.peerUrl)
  const storePeer = credentials.keys.storePeer ?? { certificate: '', key: '' }
  return startEtcdMember(
    {
      name: state.nodeId,
      dataDir: parts.dataDir,
      runDir: parts.runDir,
      peerUrl: state.peerUrl,
      // etcd listens at addresses, never at names.
      peerListenUrl: `https://${joinHostPort({ host: listen.host, port: Number(peer.port) })}`,
      initialCluster: mode.type === 'join' ? mode.initialCluster : `${state.nodeId}=${state.peerUrl}`,
      initialState: mode.type === 'new' || mode.type === 'force-new' ? 'new' : 'existing',
      forceNewCluster: mode.type === 'force-new',
      ...storePeer,
      trust: credentials.keys.trust,
      logger,
    },
    wait,
  )
}

/** Starts the store's member, and the manager on it. */
export async function startManagerRuntime(
  parts: RuntimeParts,
  state: ManagerState,
  mode: StartMode,
  wait: Wait,
  beforeManager?: (member: EtcdMember) => Promise<void>,
): Promise<ManagerRuntime> {
  const { credentials, clock, random, logger } = parts
  const listen = splitHostPort(state.listenAddress, 2377) ?? { host: '0.0.0.0', port: 2377 }
  const member = await startStoreMember(parts, state, mode, wait)
  try {
    await beforeManager?.(member)
    const manager = await startManager(
      {
        nodeId: state.nodeId,
        clusterId: state.clusterId,
        identity: () => credentials.identity,
        keyRing: () => keyRingOf(credentials),
        member,
        listen,
        clock,
        random,
        logger,
      },
      wait,
    )
    const peer = keepStorePeer({ manager, member }, { credentials, clock, logger })
    const stop = new AbortController()
    return {
      manager,
      member,
      followLock: (to) => {
        followLock(manager, credentials, to, stop.signal)
      },
      async [Symbol.asyncDispose]() {
        stop.abort()
        await peer[Symbol.asyncDispose]()
        await manager[Symbol.asyncDispose]()
        await member[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await member[Symbol.asyncDispose]()
    throw error
  }
}

/** Asks a manager to let this node's member in, and takes what it is given for that. */
export async function joinStore(
  parts: RuntimeParts,
  request: { readonly peerUrl: string; readonly address: string; readonly managers: readonly string[] },
  wait: Wait,
): Promise<Extract<StartMode, { type: 'join' }>> {
  const { csr, key } = await createRequest()
  let failure: unknown
  for (const address of request.managers) {
    try {
      using attempt = startWait({
        timeoutMs: 30_000,
        signal: wait.signal,
        what: `${address} to let this manager in`,
      })
      const { identity } = parts.credentials
      await using client = await connectRpc(
        address,
        { identity, trust: identity.trust, clock: parts.clock },
        attempt,
      )
      const answer = await client.call<MemberJoinRequest, MemberJoinAnswer>(
        'POST',
        membersPath,
        { peerUrl: request.peerUrl, peerCsr: csr, address: request.address },
        attempt,
      )
      await parts.credentials.takeManagerKeys(
        { storePeer: { certificate: answer.peerCertificate, key }, dataKeys: answer.dataKeys },
        answer.unlockKey === undefined ? undefined : parseUnlockKey(answer.unlockKey),
      )
      // Data of an earlier life would make etcd believe that it is still that member.
      await rm(memberDataDir(parts.dataDir), { recursive: true, force: true })
      return { type: 'join', initialCluster: answer.initialCluster }
    } catch (error) {
      failure = error
    }
  }
  throw failure
}
