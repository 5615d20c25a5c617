import { statfs } from 'node:fs/promises'
import { sleep } from '#lib/wait.ts'

/** The type of the file system of namespaces (`NSFS_MAGIC` of the kernel's `magic.h`). */
const namespaceType = 0x6e736673
const lookEveryMs = 4
/** From then on it is looked for less often: a host under load may take seconds to start a container. */
const soonMs = 1_000
const lookLaterMs = 50

/** Whether a path is a namespace by now: the engine makes the file first, and mounts the namespace on it then. */
export const isNamespace = (path: string): Promise<boolean> =>
  statfs(path).then(
    ({ type }) => type === namespaceType,
    () => false,
  )

/** Resolves when the namespace is there, or is not wanted any more. */
export async function namespaceThere(
  path: string,
  isWanted: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  for (let waited = 0; isWanted() && !(await isNamespace(path));) {
    const pause = waited < soonMs ? lookEveryMs : lookLaterMs
    waited += pause
    await sleep(pause, signal)
  }
}
