import { execResult } from '#lib/exec.ts'
import type { ExecOptions } from '#lib/exec.ts'

/**
 * What the docker CLI of this host says against a compose file, which is `input`; undefined if nothing. The cluster is
 * not asked: names of networks and secrets that are not there show only when the file is deployed.
 */
export async function composeRefusal(
  options: ExecOptions & { readonly input: string },
): Promise<string | undefined> {
  const { exitCode, stderr } = await execResult('docker', ['stack', 'config', '--compose-file', '-'], options)
  // An old CLI has no such command; deploying will say what is wrong.
  if (exitCode === 0 || /is not a docker command|unknown command|unknown flag/.test(stderr)) return undefined
  return stderr.trim()
}
