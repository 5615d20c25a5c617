import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RestoreRequest } from '#api/backend.ts'
import { exec } from '#lib/exec.ts'
import { MureError } from '#lib/errors.ts'
import type { Wait } from '#lib/wait.ts'
import { theCluster } from '#manager/control/the-cluster.ts'
import { signNode, signStorePeer } from '#manager/membership/signing.ts'
import { memberDataDir } from '#manager/membership/etcd/data-dir.ts'
import { transactOn } from '#manager/transact-on.ts'
import { create, update } from '#model/change.ts'
import type { Change } from '#model/change.ts'
import { newId } from '#model/id.ts'
import type { ClusterId, NodeId } from '#model/id.ts'
import { newMeta } from '#model/meta.ts'
import type { ManagerStatus, Node } from '#model/node.ts'
import { createRequest, createRoot, issueStorePeer, requestKeyDigest } from '#security/authority.ts'
import { openBackup } from '#security/backup-file.ts'
import type { KeyFile, NodeKeys } from '#security/key-file.ts'
import { trustOf } from '#security/root-ca.ts'
import { parseUnlockKey } from '#security/unlock-key.ts'
import { sealingCodec } from '#store/codec.ts'
import { EtcdStore } from '#store/etcd/store.ts'
import { startMirror } from '#store/mirror/mirror.ts'
import type { View } from '#store/mirror/view.ts'
import { splitHostPort } from './addresses.ts'
import { Credentials } from './credentials.ts'
import type { LocalNodeOptions } from './node-core.ts'
import { choosePeerUrl, startManagerRuntime, startStoreMember } from './manager-runtime.ts'
import type { ManagerRuntime } from './manager-runtime.ts'
import type { NodeState } from './node-state.ts'

const snapshotTimeoutMs = 10 * 60_000

/**
 * A swarm from its backup, with this host as its only manager. A host at the address of one of the backup's managers
 * takes that manager's place, and so adopts its containers; any other is a new node. The other managers are none any
 * more, as after `--force-new-cluster`; workers come back by themselves where a manager's address is this one.
 */
export async function restoreCluster(
  options: LocalNodeOptions,
  keyFile: KeyFile,
  request: RestoreRequest,
  wait: Wait,
): Promise<{ state: NodeState; credentials: Credentials; runtime: ManagerRuntime }> {
  const { dataDir, clock, random, logger } = options
  const { listenAddress, advertiseAddress, dataPathAddress } = request
  const host = splitHostPort(advertiseAddress, 0)?.host ?? ''
  const peerUrl = await choosePeerUrl(listenAddress, advertiseAddress)
  wait.note('the backup to be read')
  const unlockKey = request.unlockKey === undefined ? undefined : parseUnlockKey(request.unlockKey)
  const snapshot = join(dataDir, 'restore.tmp')
  const memberName = newId<NodeId>(random)
  let head: { readonly clusterId: string }
  let keys: NodeKeys
  try {
    const opened = await openBackup(request.backup, snapshot, unlockKey)
    head = opened.head
    keys = { ...(await temporaryKeys(clock.now(), host)), dataKeys: opened.secrets.dataKeys }
    wait.note('etcd to take the snapshot')
    await takeSnapshot(snapshot, { dataDir, name: memberName, peerUrl })
  } finally {
    await rm(snapshot, { force: true })
  }
  const state = (nodeId: NodeId): NodeState & { peerUrl: string } => ({
    nodeId,
    clusterId: head.clusterId as ClusterId,
    role: 'manager',
    listenAddress,
    advertiseAddress,
    dataPathAddress,
    peerUrl,
  })
  const newCredentials = (nodeId: NodeId): Credentials =>
    new Credentials({ file: keyFile, keys, nodeId, clock, logger })
  const own = await createRequest()
  const peer = await createRequest()
  let nodeId: NodeId
  {
    const parts = { ...options, credentials: newCredentials(memberName) }
    await using member = await startStoreMember(parts, state(memberName), { type: 'restart' }, wait)
    const ring = keys.dataKeys ?? []
    const codec = sealingCodec(() => ({
      keys: ring.map(({ id, key }) => ({ id, key: Buffer.from(key, 'base64') })),
    }))
    const store = new EtcdStore({ client: member.client, codec, logger })
    const mirror = await startMirror(store, wait.signal, logger)
    const cluster = theCluster(mirror)
    const { status } = cluster
    const present = [...mirror.list('node')].find((node) => node.status.manager?.address === advertiseAddress)
    nodeId = present?.meta.id ?? memberName
    const { memberId } = await member.members.status(wait)
    const publicKeyDigest = await requestKeyDigest(own.csr)
    const manager: ManagerStatus = {
      memberId,
      address: advertiseAddress,
      peerUrl,
      leader: true,
      reachability: 'reachable',
    }
    keys = {
      ...keys,
      key: own.key,
      certificate: await signNode({ clock }, cluster, own.csr, { nodeId, role: 'manager' }),
      trust: trustOf(status.rootCa),
      storePeer: {
        key: peer.key,
        certificate: await signStorePeer({ clock }, cluster, peer.csr, host),
      },
    }
    await keyFile.lock(keys, status.unlockKey === undefined ? undefined : parseUnlockKey(status.unlockKey))
    await transactOn({ mirror, store }, wait, () =>
      soleManager(mirror, { nodeId, host, publicKeyDigest, manager, now: clock.now() }),
    )
  }
  const credentials = newCredentials(nodeId)
  // etcd knows its member by the name that it was restored under.
  const runtime = await startManagerRuntime(
    { ...options, credentials },
    state(nodeId),
    { type: 'restart' },
    wait,
  )
  return { state: state(nodeId), credentials, runtime }
}

/** A root that nobody knows: a store of one needs a certificate to start, and speaks to no peer with it. */
async function temporaryKeys(
  now: ReturnType<LocalNodeOptions['clock']['now']>,
  host: string,
): Promise<NodeKeys> {
  const root = await createRoot(now)
  const { csr, key } = await createRequest()
  const certificate = await issueStorePeer(root, csr, [host], { now, lifeMs: 3_600_000 })
  return { key, certificate, trust: root.certificate, storePeer: { certificate, key } }
}

async function takeSnapshot(
  file: string,
  options: { dataDir: string; name: string; peerUrl: string },
): Promise<void> {
  const target = memberDataDir(options.dataDir)
  await rm(target, { recursive: true, force: true })
  const { name, peerUrl } = options
  await exec(
    'etcdctl',
    [
      'snapshot',
      'restore',
      file,
      `--data-dir=${target}`,
      `--name=${name}`,
      `--initial-cluster=${name}=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      '--initial-cluster-token=mure',
    ],
    { timeoutMs: snapshotTimeoutMs, env: { ...process.env, ETCDCTL_API: '3' } },
  ).catch((error: unknown) => {
    throw new MureError('invalid', 'etcd does not take the snapshot in this backup', { cause: error })
  })
}

/** This node as the one manager, and all others as workers. */
function soleManager(
  view: View,
  own: {
    readonly nodeId: NodeId
    readonly host: string
    readonly publicKeyDigest: string
    readonly manager: ManagerStatus
    readonly now: Node['meta']['createdAt']
  },
): Change[] {
  const changes: Change[] = []
  const status = {
    state: 'unknown',
    message: '',
    address: own.host,
    role: 'manager',
    membership: 'accepted',
    publicKeyDigest: own.publicKeyDigest,
    manager: own.manager,
  } as const
  for (const node of view.list('node')) {
    if (node.meta.id === own.nodeId)
      changes.push(
        update({ ...node, spec: { ...node.spec, role: 'manager' }, status: { ...node.status, ...status } }),
      )
    else if (node.spec.role === 'manager' || node.status.manager !== undefined) {
      const { manager: _, ...rest } = node.status
      changes.push(
        update({ ...node, spec: { ...node.spec, role: 'worker' }, status: { ...rest, role: 'worker' } }),
      )
    }
  }
  if (view.get('node', own.nodeId) === undefined)
    changes.push(
      create({
        kind: 'node',
        meta: newMeta(own.nodeId, own.now),
        spec: { name: '', labels: {}, role: 'manager', availability: 'active' },
        status,
      }),
    )
  return changes
}
