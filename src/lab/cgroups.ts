import { readdir, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemCode } from '#lib/errors.ts'
import { sleep } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'

const mount = '/sys/fs/cgroup'

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
