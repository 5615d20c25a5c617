import { readdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '#lib/errors.ts'
import { sleep } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'

const mount = '/sys/fs/cgroup'

/** Removes a host's control groups in every hierarchy. They empty as the kernel buries their processes. */
export async function removeCgroups(name: string, wait: Wait): Promise<void> {
  const hierarchies = await readdir(mount).catch(() => [])
  for (const path of [join(mount, name), ...hierarchies.map((hierarchy) => join(mount, hierarchy, name))])
    await removeTree(path, wait)
}

async function removeTree(path: string, wait: Wait): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(path, entry.name), wait)
  for (;;) {
    try {
      await rmdir(path)
      return
    } catch (error) {
      if (systemCode(error) !== 'EBUSY') return
      wait.note(`the processes of ${path} to end`)
      await sleep(20, wait.signal)
    }
  }
}

/** The control groups that a lab left behind, whoever made them. */
export async function cgroupsOfLab(lab: string): Promise<string[]> {
  const names = new Set<string>()
  for (const hierarchy of ['', ...(await readdir(mount).catch(() => []))])
    for (const name of await readdir(join(mount, hierarchy)).catch(() => []))
      if (name.startsWith(`mure-lab-${lab}-`)) names.add(`/${name}`)
  return [...names]
}
