import { execResult } from '#lib/exec.ts'
import { vxlanName } from '../device-names.ts'
import type { ForwardingEntry } from './forwarding.ts'

/** What the kernel has now, whoever wrote it. */
export async function readForwarding(vxlanId: number): Promise<Map<string, ForwardingEntry>> {
  const device = vxlanName(vxlanId)
  const [fdb, neighbours] = await Promise.all([
    read<{ mac?: string; dst?: string }>('bridge', ['-json', 'fdb', 'show', 'dev', device]),
    read<{ dst?: string; lladdr?: string }>('ip', ['-json', 'neigh', 'show', 'dev', device]),
  ])
  const addressOf = new Map(neighbours.map(({ dst = '', lladdr = '' }) => [lladdr, dst]))
  const entries = new Map<string, ForwardingEntry>()
  for (const { mac, dst } of fdb)
    if (mac !== undefined && dst !== undefined)
      entries.set(mac, { mac, host: dst, ip: addressOf.get(mac) ?? '' })
  return entries
}

async function read<T>(file: string, args: readonly string[]): Promise<T[]> {
  const { stdout, exitCode } = await execResult(file, args)
  return exitCode !== 0 || stdout.trim() === '' ? [] : (JSON.parse(stdout) as T[])
}
