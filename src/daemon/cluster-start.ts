import type { InitRequest } from '#api/backend.ts'
import { silentLogger } from '#lib/logger.ts'
import { newId } from '#model/id.ts'
import type { ClusterId, NodeId } from '#model/id.ts'
import { update } from '#model/change.ts'
import { certificateExpiryMs } from '#model/defaults.ts'
import type { Wait } from '#lib/wait.ts'
import {
  createRequest,
  createRoot,
  issueNodeCertificate,
  issueStorePeer,
  requestKeyDigest,
} from '#security/authority.ts'
import { createJoinToken } from '#security/join-token.ts'
import type { KeyFile, NodeKeys } from '#security/key-file.ts'
import { newKey } from '#security/seal.ts'
import { createUnlockKey, parseUnlockKey } from '#security/unlock-key.ts'
import { sealingCodec } from '#store/codec.ts'
import { EtcdStore } from '#store/etcd/store.ts'
import { transactOn } from '#manager/transact-on.ts'
import { splitHostPort } from './addresses.ts'
import { Credentials } from './credentials.ts'
import type { LocalNodeOptions } from './node-core.ts'
import { choosePeerUrl, keyRingOf, startManagerRuntime } from './manager-runtime.ts'
import type { ManagerRuntime, RuntimeParts } from './manager-runtime.ts'
import { recordPlace } from './moved-manager.ts'
import { newClusterObjects } from './new-cluster.ts'
import type { NodeState } from './node-state.ts'

interface Where {
  readonly request: InitRequest
  readonly listenAddress: string
  readonly advertiseAddress: string
  readonly dataPathAddress: string
}

/** `docker swarm init`: a root of trust, a store of one, and the first objects in it. */
export async function createCluster(
  options: LocalNodeOptions,
  keyFile: KeyFile,
  where: Where,
  wait: Wait,
): Promise<{ state: NodeState; credentials: Credentials; runtime: ManagerRuntime }> {
  const { clock, random, logger } = options
  const { spec, availability } = where.request
  const now = clock.now()
  const clusterId = newId<ClusterId>(random)
  const nodeId = newId<NodeId>(random)
  const root = await createRoot(now)
  const validity = { now, lifeMs: certificateExpiryMs(spec) }
  const own = await createRequest()
  const peer = await createRequest()
  const host = splitHostPort(where.advertiseAddress, 0)?.host ?? ''
  const peerUrl = await choosePeerUrl(where.listenAddress, where.advertiseAddress)
  const keys: NodeKeys = {
    key: own.key,
    certificate: await issueNodeCertificate(root, own.csr, { nodeId, clusterId, role: 'manager' }, validity),
    trust: root.certificate,
    storePeer: { key: peer.key, certificate: await issueStorePeer(root, peer.csr, [host], validity) },
    dataKeys: [{ id: 1, key: newKey().toString('base64') }],
  }
  const unlockKey = spec.encryption?.autoLockManagers === true ? createUnlockKey() : undefined
  await keyFile.lock(keys, unlockKey === undefined ? undefined : parseUnlockKey(unlockKey))
  const credentials = new Credentials({ file: keyFile, keys, nodeId, clock, logger })
  const state = {
    nodeId,
    clusterId,
    role: 'manager' as const,
    listenAddress: where.listenAddress,
    advertiseAddress: where.advertiseAddress,
    dataPathAddress: where.dataPathAddress,
    peerUrl,
  }
  const runtime = await startManagerRuntime(
    { ...options, credentials },
    state,
    { type: 'new' },
    wait,
    async (member) => {
      const status = await member.members.status(wait)
      const store = new EtcdStore({
        client: member.client,
        codec: sealingCodec(() => keyRingOf(credentials)),
        logger: silentLogger,
      })
      const objects = newClusterObjects(
        {
          id: clusterId,
          spec,
          networking: {
            defaultAddressPool: where.request.defaultAddressPool,
            subnetSize: where.request.subnetSize,
            dataPathPort: where.request.dataPathPort,
          },
          rootCa: { ...root, epoch: 0 },
          joinTokens: {
            worker: createJoinToken(root.certificate),
            manager: createJoinToken(root.certificate),
          },
          unlockKey,
          node: {
            id: nodeId,
            availability,
            address: host,
            publicKeyDigest: await requestKeyDigest(own.csr),
            manager: {
              memberId: status.memberId,
              address: where.advertiseAddress,
              peerUrl,
              leader: true,
              reachability: 'reachable',
            },
          },
        },
        { now, random },
      )
      await store.transact(objects, { wait })
    },
  )
  return { state, credentials, runtime }
}

/** `docker swarm init --force-new-cluster`: this manager goes on alone, with everything the store holds. */
export async function forceNewCluster(
  parts: RuntimeParts,
  state: NodeState,
  wait: Wait,
): Promise<ManagerRuntime> {
  const peerUrl = state.peerUrl ?? (await choosePeerUrl(state.listenAddress, state.advertiseAddress))
  const runtime = await startManagerRuntime(parts, { ...state, peerUrl }, { type: 'force-new' }, wait)
  await recordPlace(runtime, { ...state, peerUrl }, wait)
  const { mirror, store } = runtime.manager
  // The other managers are no members any more; those that live come back as workers.
  await transactOn({ mirror, store }, wait, () =>
    [...mirror.list('node')]
      .filter((node) => node.meta.id !== state.nodeId && node.status.manager !== undefined)
      .map((node) => {
        const { manager: _, ...status } = node.status
        return update({
          ...node,
          spec: { ...node.spec, role: 'worker' },
          status: { ...status, role: 'worker' },
        })
      }),
  )
  return runtime
}
