import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Clock } from '#lib/clock.ts'
import { theCluster } from '#manager/control/the-cluster.ts'
import { sealBackup } from '#security/backup-file.ts'
import { parseUnlockKey } from '#security/unlock-key.ts'
import type { Credentials } from './credentials.ts'
import { snapshotName } from './left-behind.ts'
import type { ManagerRuntime } from './manager-runtime.ts'
import type { NodeState } from './node-state.ts'

/**
 * Everything a swarm is, as a stream: the store's snapshot, in which the authority and its key are, and the keys that
 * its values are sealed with. The snapshot is complete on disk before the first byte is given out, so that a store
 * which fails is an error and no short file.
 */
export async function backupCluster(
  { manager, member }: ManagerRuntime,
  parts: { state: NodeState; credentials: Credentials; dataDir: string; clock: Clock },
): Promise<Readable> {
  const cluster = theCluster(manager.mirror)
  const { unlockKey } = cluster.status
  const path = join(parts.dataDir, snapshotName(randomUUID()))
  try {
    await member.members.snapshot(path)
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
  const head = {
    clusterId: cluster.meta.id,
    createdAt: new Date(parts.clock.now()).toISOString(),
    advertiseAddress: parts.state.advertiseAddress,
  }
  const secrets = { dataKeys: parts.credentials.keys.dataKeys ?? [] }
  const key = unlockKey === undefined ? undefined : parseUnlockKey(unlockKey)
  const backup = Readable.from(sealBackup(head, secrets, createReadStream(path), key), { objectMode: false })
  backup.once('close', () => {
    rm(path, { force: true }).catch(() => undefined)
  })
  return backup
}
