import { startWait } from '#lib/wait.ts'
import { cgroupsOfLab, removeCgroups } from './cgroups.ts'
import { stopForwarding } from './forward.ts'
import { powerOff } from './host.ts'
import { checkName, forgetLab, readLab } from './lab.ts'
import { labNamespaces, removeNamespace } from './network.ts'

/**
 * Takes everything of a lab away. What is left of one whose making or unmaking was interrupted is found by name,
 * so this may be called at any time and as often as one likes.
 */
export async function labDown(name: string, signal?: AbortSignal): Promise<void> {
  checkName(name)
  using wait = startWait({ timeoutMs: 60_000, signal, what: 'the lab to be gone' })
  const lab = await readLab(name)
  await stopForwarding(name)
  if (lab !== undefined) await Promise.all(lab.hosts.map((host) => powerOff(lab, host, wait)))
  for (const namespace of await labNamespaces(name)) await removeNamespace(namespace)
  for (const cgroup of await cgroupsOfLab(name)) await removeCgroups(cgroup, wait)
  await forgetLab(name)
}
