import { execResult } from '#lib/exec.ts'
import { vxlanName } from '../device-names.ts'
import type { ForwardingEntry } from './forwarding.ts'

/** What the kernel has now, whoever wrote it. */
export async function readForwarding(vxlanId: number): Promise<Map<string, ForwardingEntry>> {
  const device = vxlanName(vxlanId)
  const [fdb, neighbours] = await Promise.all([
    read<{ mac?: string; dst?: string }>('bridge', ['-json', 'fdb', 'show', 'dev', device]),
    read<{ dst?: string; lladdr?: string }>('ip', [
      ...['-json', 'neigh', 'show', 'nud', 'permanent', 'dev', device],
    ]),
  ])
  const addressesOf = Map.groupBy(neighbours, ({ lladdr = '' }) => lladdr)
  const entries = new Map<string, ForwardingEntry>()
  for (const { mac, dst } of fdb)
    if (mac !== undefined && dst !== undefined)
      entries.set(mac, {
        mac,
        host: dst,
        addresses: (addressesOf.get(mac) ?? []).map((one) => one.dst ?? '').sort(byFamily),
      })
  return entries
}

/** IPv4 first, as the managers tell them. */
const byFamily = (a: string, b: string): number => Number(a.includes(':')) - Number(b.includes(':'))

async function read<T>(file: string, args: readonly string[]): Promise<T[]> {
  const { stdout, exitCode } = await execResult(file, args)
  return exitCode !== 0 || stdout.trim() === '' ? [] : (JSON.parse(stdout) as T[])
}
