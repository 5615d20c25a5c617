import { macOfHost } from '../device-names.ts'
import { families } from '../family.ts'

/** Marks and routing tables of the mesh's way back begin here: beyond what people and other programs use. */
const firstMark = 0x4d0000
export const returnPathTable = 'mure_mesh'
const table = returnPathTable

/** A host's number in this sandbox; the same as long as the host stays. */
export type HostNumbers = ReadonlyMap<string, number>

/** Numbers for hosts that have none, without touching those that have. */
export function numberHosts(before: HostNumbers, nodeIds: Iterable<string>): Map<string, number> {
  const numbers = new Map<string, number>()
  const wanted = [...nodeIds]
  for (const id of wanted) {
    const known = before.get(id)
    if (known !== undefined) numbers.set(id, known)
  }
  const used = new Set(numbers.values())
  let next = 1
  for (const id of wanted.sort()) {
    if (numbers.has(id)) continue
    while (used.has(next)) next += 1
    used.add(next)
    numbers.set(id, next)
  }
  return numbers
}

/** A next hop's address only names its neighbour entry: nobody else ever sees it. */
const hopOf = (number: number): string => `169.254.${String(128 + (number >> 8))}.${String(number & 255)}`
const hop6Of = (number: number): string => `fe80::4d:${number.toString(16)}`

/** Without this, what comes in is not answered where the route of its own leads. */
export const returnPathSettings = (device: string): string[] => [
  // The client's address comes in where no route leads to it, and the answer's route follows the mark.
  'net.ipv4.conf.all.rp_filter=0',
  `net.ipv4.conf.${device}.rp_filter=0`,
  // Of both versions of IP.
  'net.ipv4.tcp_fwmark_accept=1',
  // A port that nobody listens on refuses, and is heard to.
  'net.ipv4.fwmark_reflect=1',
  'net.ipv6.fwmark_reflect=1',
]

/**
 * How a task answers a client whose real address it sees: through the host that the connection came in by. That host
 * is known by its hardware address; the connection is marked with it, and each mark has a route of its own. A TCP
 * socket takes the mark over from the packet that opened it; for what has no such socket, the `route` hook gives each
 * answer its mark.
 */
export function renderReturnPath(
  device: string,
  before: HostNumbers | undefined,
  after: HostNumbers,
): { readonly nft: string[]; readonly ip: string[]; readonly ip6: string[] } {
  const nft: string[] = []
  const ip: string[] = []
  const ip6: string[] = []
  if (before === undefined) {
    for (const { name } of families)
      nft.push(
        `add table ${name} ${table}`,
        `delete table ${name} ${table}`,
        `add table ${name} ${table}`,
        `add map ${name} ${table} hosts { type ether_addr : mark; }`,
        `add chain ${name} ${table} inbound { type filter hook prerouting priority -150; }`,
        `add rule ${name} ${table} inbound iifname "${device}" ct state new ct mark set ether saddr map @hosts`,
        `add rule ${name} ${table} inbound iifname "${device}" ct mark != 0 meta mark set ct mark`,
        `add chain ${name} ${table} outbound { type route hook output priority -150; }`,
        `add rule ${name} ${table} outbound ct mark != 0 meta mark set ct mark`,
      )
    // The hook is asked only where some route is found before. Whatever has no mark does not go that way.
    ip6.push('route add default dev lo metric 8192')
    nft.push(
      `add chain ip6 ${table} nowhere { type filter hook output priority 0; }`,
      `add rule ip6 ${table} nowhere meta mark 0 oifname "lo" fib daddr type != local reject with icmpv6 no-route`,
    )
  }
  for (const [id, number] of before ?? [])
    if (after.get(id) !== number) {
      for (const { name } of families) nft.push(`delete element ${name} ${table} hosts { ${macOfHost(id)} }`)
      ip.push(`rule del fwmark ${String(firstMark + number)}`, `neigh del ${hopOf(number)} dev ${device}`)
      ip6.push(`rule del fwmark ${String(firstMark + number)}`, `neigh del ${hop6Of(number)} dev ${device}`)
    }
  for (const [id, number] of after) {
    if (before?.get(id) === number) continue
    const mark = String(firstMark + number)
    const mac = macOfHost(id)
    for (const { name } of families) nft.push(`add element ${name} ${table} hosts { ${mac} : ${mark} }`)
    ip.push(...wayTo(hopOf(number), mac, device, mark))
    ip6.push(...wayTo(hop6Of(number), mac, device, mark))
  }
  return { nft, ip, ip6 }
}

const wayTo = (hop: string, mac: string, device: string, mark: string): string[] => [
  `neigh replace ${hop} lladdr ${mac} dev ${device} nud permanent`,
  `route replace default via ${hop} dev ${device} onlink table ${mark}`,
  `rule del fwmark ${mark}`,
  `rule add fwmark ${mark} lookup ${mark}`,
]
