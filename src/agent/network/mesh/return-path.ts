import { macOfHost } from '../device-names.ts'

/** Marks and routing tables of the mesh's way back begin here: beyond what people and other programs use. */
const firstMark = 0x4d0000
const table = 'mure_mesh'

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

/**
 * How a task answers a client whose real address it sees: through the host that the connection came in by. That host
 * is known by its hardware address; the connection is marked with it, and each mark has a route of its own.
 */
export function renderReturnPath(
  device: string,
  before: HostNumbers | undefined,
  after: HostNumbers,
): { readonly nft: string[]; readonly ip: string[] } {
  const nft =
    before === undefined
      ? [
          `add table ip ${table}`,
          `delete table ip ${table}`,
          `add table ip ${table}`,
          `add map ip ${table} hosts { type ether_addr : mark; }`,
          `add chain ip ${table} inbound { type filter hook prerouting priority -150; }`,
          `add rule ip ${table} inbound iifname "${device}" ct state new ct mark set ether saddr map @hosts`,
          `add chain ip ${table} outbound { type route hook output priority -150; }`,
          `add rule ip ${table} outbound ct mark != 0 meta mark set ct mark`,
        ]
      : []
  const ip: string[] = []
  for (const [id, number] of before ?? [])
    if (after.get(id) !== number) {
      nft.push(`delete element ip ${table} hosts { ${macOfHost(id)} }`)
      ip.push(`rule del fwmark ${String(firstMark + number)}`, `neigh del ${hopOf(number)} dev ${device}`)
    }
  for (const [id, number] of after) {
    if (before?.get(id) === number) continue
    const mark = String(firstMark + number)
    nft.push(`add element ip ${table} hosts { ${macOfHost(id)} : ${mark} }`)
    ip.push(
      `neigh replace ${hopOf(number)} lladdr ${macOfHost(id)} dev ${device} nud permanent`,
      `route replace default via ${hopOf(number)} dev ${device} onlink table ${mark}`,
      `rule del fwmark ${mark}`,
      `rule add fwmark ${mark} lookup ${mark}`,
    )
  }
  return { nft, ip }
}
