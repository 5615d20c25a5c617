import { mkdir, rm, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readFileIfThere } from '#lib/atomic-file.ts'

/** Folders of this machine that every host lays its own over. For that they must exist; nothing is ever written here. */
const mountPoints = ['/var/lib/docker', '/var/lib/mure'] as const

const mark = '.made-by-mure-lab'

export async function makeMountPoints(): Promise<void> {
  for (const path of mountPoints)
    if ((await mkdir(path, { recursive: true })) !== undefined) await writeFile(join(path, mark), '')
}

/**
 * Only when no lab is left: the kernel lets a folder be removed that is a mount point in another namespace, and takes
 * the mount along.
 */
export async function removeMountPoints(): Promise<void> {
  for (const path of mountPoints) {
    if ((await readFileIfThere(join(path, mark))) === undefined) continue
    await rm(join(path, mark), { force: true })
    // Somebody else has begun to use it.
    await rmdir(path).catch(() => undefined)
  }
}
