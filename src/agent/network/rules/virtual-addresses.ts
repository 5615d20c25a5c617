import type { DataPlaneEndpoint, DataPlaneMember } from '#model/data-plane.ts'

/** The addresses behind each virtual address. */
export type VirtualAddresses = ReadonlyMap<string, readonly string[]>

/** Of one network: only what serves gets new connections. */
export function virtualAddressesOf(
  endpoints: Iterable<DataPlaneEndpoint>,
  members: Iterable<DataPlaneMember>,
): Map<string, readonly string[]> {
  const byService = Map.groupBy(members, (member) => member.serviceId)
  const result = new Map<string, readonly string[]>()
  for (const { serviceId, virtualAddresses } of endpoints) {
    const backends = (byService.get(serviceId) ?? []).flatMap((member) =>
      member.isServing ? member.addresses.filter((address) => address.includes('.')) : [],
    )
    for (const address of virtualAddresses) result.set(address, backends.sort())
  }
  return result
}

const table = 'mure'
const chainOf = (address: string): string => `s_${address.replaceAll('.', '_')}`

/** The frame that the services are hung into; said again, it changes nothing but takes what was there away. */
const frame: readonly string[] = [
  `add table ip ${table}`,
  `delete table ip ${table}`,
  `add table ip ${table}`,
  `add map ip ${table} services { type ipv4_addr : verdict; }`,
  `add set ip ${table} unserved { type ipv4_addr; }`,
  `add chain ip ${table} output { type nat hook output priority -100; }`,
  `add rule ip ${table} output ip daddr vmap @services`,
  `add chain ip ${table} refuse { type filter hook output priority 0; }`,
  `add rule ip ${table} refuse ip daddr @unserved reject`,
]

/**
 * The nftables commands that make a sandbox's virtual addresses what they are to be; `before` undefined: nothing is
 * known of it. One service's change is a few lines, however many services there are, and connections that exist keep
 * their way: only new ones are sent by these rules.
 */
export function renderVirtualAddresses(
  before: VirtualAddresses | undefined,
  after: VirtualAddresses,
): string[] {
  const lines = before === undefined ? [...frame] : []
  for (const [address, backends] of before ?? []) {
    if (after.has(address)) continue
    if (backends.length === 0) lines.push(`delete element ip ${table} unserved { ${address} }`)
    else {
      lines.push(`delete element ip ${table} services { ${address} }`)
      lines.push(
        `flush chain ip ${table} ${chainOf(address)}`,
        `delete chain ip ${table} ${chainOf(address)}`,
      )
    }
  }
  for (const [address, backends] of after) {
    const was = before?.get(address)
    if (was !== undefined && was.join() === backends.join()) continue
    lines.push(...service(address, was, backends))
  }
  return lines
}

function service(address: string, was: readonly string[] | undefined, backends: readonly string[]): string[] {
  const chain = chainOf(address)
  const lines: string[] = []
  const had = (was?.length ?? 0) > 0
  if (backends.length === 0) {
    if (had)
      lines.push(
        `delete element ip ${table} services { ${address} }`,
        `flush chain ip ${table} ${chain}`,
        `delete chain ip ${table} ${chain}`,
      )
    lines.push(`add element ip ${table} unserved { ${address} }`)
    return lines
  }
  if (was?.length === 0) lines.push(`delete element ip ${table} unserved { ${address} }`)
  const choices = backends.map((backend, index) => `${String(index)} : ${backend}`).join(', ')
  lines.push(
    `add chain ip ${table} ${chain}`,
    `flush chain ip ${table} ${chain}`,
    `add rule ip ${table} ${chain} dnat to numgen random mod ${String(backends.length)} map { ${choices} }`,
  )
  if (!had) lines.push(`add element ip ${table} services { ${address} : goto ${chain} }`)
  return lines
}

/** Addresses that new connections went to and do not any more. */
export function removedBackends(before: VirtualAddresses | undefined, after: VirtualAddresses): string[] {
  const now = new Set([...after.values()].flat())
  return [...new Set([...(before?.values() ?? [])].flat())].filter((address) => !now.has(address))
}
