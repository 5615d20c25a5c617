import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newClusterObjects } from '#daemon/new-cluster.ts'
import { freePort } from '#daemon/free-port.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { systemRandom } from '#lib/random.ts'
import { startWait } from '#lib/wait.ts'
import { create } from '#model/change.ts'
import { networkingDefaults } from '#model/defaults.ts'
import { newId } from '#model/id.ts'
import type { ClusterId, NodeId } from '#model/id.ts'
import { aNode } from '#model/testing/builders.ts'
import { startManager } from '#manager/manager.ts'
import type { Manager } from '#manager/manager.ts'
import { startEtcdMember } from '#manager/membership/etcd/member.ts'
import type { EtcdMember } from '#manager/membership/etcd/member.ts'
import type { Identity } from '#rpc/transport.ts'
import { createRequest, createRoot, issueNodeCertificate, issueStorePeer } from '#security/authority.ts'
import { newKey } from '#security/seal.ts'
import { sealingCodec } from '#store/codec.ts'
import { EtcdStore } from '#store/etcd/store.ts'

/** A manager in this process on a real etcd, with agents in another process that speak to it as real ones do. */
export interface BenchManager extends AsyncDisposable {
  readonly manager: Manager
  readonly member: EtcdMember
  readonly nodeId: NodeId
  /** The process of the agents. */
  readonly fleetPid: number | undefined
}

export async function startBenchManager(nodes: number): Promise<BenchManager> {
  await using started = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'mure-bench-'))
  started.defer(() => rm(folder, { recursive: true, force: true }))
  const now = systemClock.now()
  const validity = { now, lifeMs: 24 * 3_600_000 }
  const clusterId = newId<ClusterId>(systemRandom)
  const root = await createRoot(now)
  const identityOf = async (nodeId: NodeId, role: 'manager' | 'worker'): Promise<Identity> => {
    const { csr, key } = await createRequest()
    const certificate = await issueNodeCertificate(root, csr, { nodeId, clusterId, role }, validity)
    return { nodeId, role, certificate, key, trust: root.certificate }
  }
  const nodeId = newId<NodeId>(systemRandom)
  const identity = await identityOf(nodeId, 'manager')
  const peer = await createRequest()
  const peerUrl = `https://127.0.0.1:${String(await freePort('127.0.0.1', 23_800))}`
  const keyRing = { keys: [{ id: 1, key: newKey() }] }
  using wait = startWait({ timeoutMs: 60_000, what: 'etcd to start' })
  const member = started.use(
    await startEtcdMember(
      {
        name: nodeId,
        dataDir: folder,
        runDir: folder,
        peerUrl,
        peerListenUrl: peerUrl,
        initialCluster: `${nodeId}=${peerUrl}`,
        initialState: 'new',
        certificate: await issueStorePeer(root, peer.csr, ['127.0.0.1'], validity),
        key: peer.key,
        trust: root.certificate,
        logger: silentLogger,
      },
      wait,
    ),
  )
  const { memberId } = await member.members.status(wait)
  const identities = await Promise.all(
    Array.from({ length: nodes }, () => identityOf(newId<NodeId>(systemRandom), 'worker')),
  )
  const port = await freePort('127.0.0.1', 23_770)
  const address = `127.0.0.1:${String(port)}`
  const store = new EtcdStore({
    client: member.client,
    codec: sealingCodec(() => keyRing),
    logger: silentLogger,
  })
  const first = { id: nodeId, availability: 'drain', address: '127.0.0.1', publicKeyDigest: '' } as const
  await store.transact(
    newClusterObjects(
      {
        id: clusterId,
        spec: {},
        networking: networkingDefaults,
        rootCa: { ...root, epoch: 0 },
        joinTokens: { worker: '', manager: '' },
        unlockKey: undefined,
        node: { ...first, manager: { memberId, address, peerUrl, leader: true, reachability: 'reachable' } },
      },
      { now, random: systemRandom },
    ),
    { wait },
  )
  await store.transact(
    identities.map((agent) => {
      const node = aNode({ status: { state: 'unknown' } })
      return create({ ...node, meta: { ...node.meta, id: agent.nodeId } })
    }),
    { wait },
  )
  const manager = started.use(
    await startManager(
      {
        nodeId,
        clusterId,
        identity: () => identity,
        keyRing: () => keyRing,
        member,
        listen: { host: '127.0.0.1', port },
        clock: systemClock,
        random: systemRandom,
        logger: silentLogger,
      },
      wait,
    ),
  )
  const fleet = fork(join(import.meta.dirname, 'fleet.ts'))
  started.defer(() => {
    fleet.kill('SIGKILL')
  })
  fleet.send({ address, identities })
  const owned = started.move()
  return { manager, member, nodeId, fleetPid: fleet.pid, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
