import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { startWait } from '#lib/wait.ts'
import { removeCgroups } from './cgroups.ts'
import { removeMountPoints } from './mount-points.ts'
import { deleteNamespaces } from './network.ts'
import { killMarked, labMark } from './processes.ts'
import { checkName, cgroupOfLab, labDir, listLabs } from './record.ts'
import { holdLock, lockLab } from './lock.ts'

const downTimeoutMs = 120_000

/**
 * Takes a lab away. All of it is found by its name: processes by their mark, namespaces, control groups and files by
 * their prefix. So it does not matter how far an `up` or a `down` had come when it was killed, and this may be called
 * as often as one likes.
 */
export async function labDown(
  name: string,
  say: (text: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  checkName(name)
  using wait = startWait({ timeoutMs: downTimeoutMs, signal, what: 'the lab to be gone' })
  await using _lock = await lockLab(name, wait, say)
  await killMarked(wait, labMark(name))
  await deleteNamespaces(name)
  await removeCgroups(cgroupOfLab(name), wait)
  // The record goes last: until then, `lab ls` shows that there is something to take away.
  for (const path of [join(labDir(name), 'hosts'), labDir(name)])
    await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  await using _plans = await holdLock('.plans', wait, () => undefined)
  if ((await listLabs()).length === 0) await removeMountPoints()
}
