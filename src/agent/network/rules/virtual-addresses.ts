import type { DataPlaneEndpoint, DataPlaneMember } from '#model/data-plane.ts'
import type { Family } from '../family.ts'

/** The addresses behind each virtual address, of one family. */
export type VirtualAddresses = ReadonlyMap<string, readonly string[]>

/** Of one network: only what serves gets new connections. */
export function virtualAddressesOf(
  family: Family,
  endpoints: Iterable<DataPlaneEndpoint>,
  members: Iterable<DataPlaneMember>,
): Map<string, readonly string[]> {
  const byService = Map.groupBy(members, (member) => member.serviceId)
  const result = new Map<string, readonly string[]>()
  for (const { serviceId, virtualAddresses } of endpoints) {
    const backends = (byService.get(serviceId) ?? []).flatMap((member) =>
      member.isServing ? member.addresses.filter((address) => family.has(address)) : [],
    )
    for (const address of virtualAddresses) if (family.has(address)) result.set(address, backends.sort())
  }
  return result
}

export const virtualAddressTable = 'mure'
const table = virtualAddressTable
const chainOf = (address: string): string => `s_${address.replaceAll(/[.:]/g, '_')}`

/** The frame that the services are hung into; said again, it changes nothing but takes what was there away. */
const frame = ({ name, addressType }: Family): readonly string[] => [
  `add table ${name} ${table}`,
  `delete table ${name} ${table}`,
  `add table ${name} ${table}`,
  `add map ${name} ${table} services { type ${addressType} : verdict; }`,
  `add set ${name} ${table} unserved { type ${addressType}; }`,
  `add chain ${name} ${table} output { type nat hook output priority -100; }`,
  `add rule ${name} ${table} output ${name} daddr vmap @services`,
  `add chain ${name} ${table} refuse { type filter hook output priority 0; }`,
  `add rule ${name} ${table} refuse ${name} daddr @unserved reject`,
]

/**
 * The nftables commands that make a sandbox's virtual addresses what they are to be; `before` undefined: nothing is
 * known of it. One service's change is a few lines, however many services there are, and connections that exist keep
 * their way: only new ones are sent by these rules.
 */
export function renderVirtualAddresses(
  family: Family,
  before: VirtualAddresses | undefined,
  after: VirtualAddresses,
): string[] {
  const of = `${family.name} ${table}`
  const lines = before === undefined ? [...frame(family)] : []
  for (const [address, backends] of before ?? []) {
    if (after.has(address)) continue
    if (backends.length === 0) lines.push(`delete element ${of} unserved { ${address} }`)
    else {
      lines.push(`delete element ${of} services { ${address} }`)
      lines.push(`flush chain ${of} ${chainOf(address)}`, `delete chain ${of} ${chainOf(address)}`)
    }
  }
  for (const [address, backends] of after) {
    const was = before?.get(address)
    if (was === backends || (was !== undefined && was.join() === backends.join())) continue
    lines.push(...service(of, address, was, backends))
  }
  return lines
}

function service(
  of: string,
  address: string,
  was: readonly string[] | undefined,
  backends: readonly string[],
): string[] {
  const chain = chainOf(address)
  const lines: string[] = []
  const had = (was?.length ?? 0) > 0
  if (backends.length === 0) {
    if (had)
      lines.push(
        `delete element ${of} services { ${address} }`,
        `flush chain ${of} ${chain}`,
        `delete chain ${of} ${chain}`,
      )
    lines.push(`add element ${of} unserved { ${address} }`)
    return lines
  }
  if (was?.length === 0) lines.push(`delete element ${of} unserved { ${address} }`)
  const choices = backends.map((backend, index) => `${String(index)} : ${backend}`).join(', ')
  lines.push(
    `add chain ${of} ${chain}`,
    `flush chain ${of} ${chain}`,
    `add rule ${of} ${chain} dnat to numgen random mod ${String(backends.length)} map { ${choices} }`,
  )
  if (!had) lines.push(`add element ${of} services { ${address} : goto ${chain} }`)
  return lines
}

/** Addresses that new connections went to and do not any more. */
export function removedBackends(before: VirtualAddresses | undefined, after: VirtualAddresses): string[] {
  const changed = [...(before ?? [])].filter(([address, backends]) => after.get(address) !== backends)
  const was = new Set(changed.flatMap(([, backends]) => backends))
  if (was.size === 0) return []
  const now = new Set([...after.values()].flat())
  return [...was].filter((address) => !now.has(address))
}

/** The addresses that connections are sent to by rules of ours, read from what the kernel shows of them. */
export function targetsIn(text: string): string[] {
  const maps = [...text.matchAll(/numgen random mod \d+ map \{([^}]*)\}/g)].map((match) => match[1] ?? '')
  return maps.flatMap((map) => [...map.matchAll(/\d+ : ([0-9a-f.:]+)/g)].map((match) => match[1] ?? ''))
}
