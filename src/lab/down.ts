import { rm } from 'node:fs/promises'
import { startWait } from '#lib/wait.ts'
import { removeCgroups } from './cgroups.ts'
import { deleteNamespaces } from './network.ts'
import { killMarked, labMark } from './processes.ts'
import { checkName, cgroupOfLab, labDir } from './record.ts'
import { lockLab } from './lock.ts'

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
  await rm(labDir(name), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}
