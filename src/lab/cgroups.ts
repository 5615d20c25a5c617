import { mkdir, readdir, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemCode } from '#lib/errors.ts'
import { sleep } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'

const mount = '/sys/fs/cgroup'

/** What a group of version 1 weighs by default is 1024, as one plain process does. */
const sharesOfLabs = 10_240

/**
 * Makes the group that all labs share weigh as ten processes. By itself it weighs as one, and the containers of all
 * hosts together would starve beside any two busy programs of this machine; on real hosts each weighs for itself.
 */
export async function raiseWeight(path: string): Promise<void> {
  const shared = join(mount, 'cpu', dirname(dirname(path)))
  try {
    await mkdir(shared, { recursive: true })
    await writeFile(join(shared, 'cpu.shares'), String(sharesOfLabs))
  } catch (error) {
    // Version 2 alone, or not ours to set: the engine makes the group by itself then.
    if (!['ENOENT', 'EROFS', 'EACCES', 'EPERM', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw error
  }
}

/** Removes a group and all below it, in the unified hierarchy or in every one of version 1. */
export async function removeCgroups(path: string, wait: Wait): Promise<void> {
  const roots = [mount, ...(await foldersIn(mount)).map((hierarchy) => join(mount, hierarchy))]
  for (const root of roots) {
    await removeTree(join(root, path), wait)
    // What all labs share goes with the last of them: while it has children the kernel refuses.
    if (dirname(path) !== '/') await rmdir(join(root, dirname(path))).catch(() => undefined)
  }
}

async function removeTree(path: string, wait: Wait): Promise<void> {
  for (const name of await foldersIn(path)) await removeTree(join(path, name), wait)
  for (;;) {
    try {
      await rmdir(path)
      return
    } catch (error) {
      const code = systemCode(error)
      if (code === 'ENOENT') return
      if (code !== 'EBUSY') throw error
      // A group empties only as the kernel buries its processes.
      wait.note(`the processes of ${path} to end`)
      await sleep(10, wait.signal)
    }
  }
}

async function foldersIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
}
