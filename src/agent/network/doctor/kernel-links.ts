import { execResult } from '#lib/exec.ts'
import type { KernelLink } from './differences.ts'

/** All links of this host. */
export async function readKernelLinks(): Promise<KernelLink[]> {
  const { stdout, exitCode } = await execResult('ip', ['-json', '-details', 'link', 'show'])
  return exitCode !== 0 || stdout.trim() === '' ? [] : (JSON.parse(stdout) as KernelLink[])
}
