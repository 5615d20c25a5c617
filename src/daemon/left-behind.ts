import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { memberDataDir } from '#manager/membership/etcd/data-dir.ts'

/** A snapshot that was on its way into somebody's backup. */
export const snapshotName = (id: string): string => `backup-${id}.tmp`
const snapshotPattern = /^backup-.*\.tmp$/

/** Snapshots of backups that a process before this one did not bring to their end. */
export async function removeSnapshots(dataDir: string): Promise<void> {
  const names = await readdir(dataDir).catch(() => [])
  for (const name of names) if (snapshotPattern.test(name)) await rm(join(dataDir, name), { force: true })
}

/**
 * What a host that is part of nothing has of a cluster that it left, its keys aside. A store of then would be taken for
 * that of the next cluster.
 */
export async function removeLeftBehind(dataDir: string): Promise<void> {
  await rm(join(dataDir, 'managers.json'), { force: true })
  await rm(memberDataDir(dataDir), { recursive: true, force: true })
}
