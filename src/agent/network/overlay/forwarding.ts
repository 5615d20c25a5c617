import type { DataPlaneHost, DataPlaneMember } from '#model/data-plane.ts'
import { ipv6 } from '../family.ts'
import { macOfAddress, macOfHost, vxlanName } from '../device-names.ts'

/** Where frames for a hardware address go, and whose address it is. Key: the hardware address. */
export interface ForwardingEntry {
  readonly mac: string
  /** IPv4 and IPv6; none for a host, which nobody asks for by an address. */
  readonly addresses: readonly string[]
  /** The host behind the tunnel. */
  readonly host: string
}

/** What is the same as before is the same object: a change costs little however many others there are. */
const known = new WeakMap<DataPlaneMember, ForwardingEntry>()

export type Forwarding = ReadonlyMap<string, ForwardingEntry>

/** What this host must know of a network: everybody on it that is on another host, and those hosts themselves. */
export function forwardingOf(
  members: Iterable<DataPlaneMember>,
  hosts: ReadonlyMap<string, DataPlaneHost>,
  ownNodeId: string,
): Map<string, ForwardingEntry> {
  const entries = new Map<string, ForwardingEntry>()
  const own = hosts.get(ownNodeId)?.address
  const add = (entry: ForwardingEntry) => {
    // Engines that share one host share its bridge too.
    if (entry.host !== own) entries.set(entry.mac, entry)
  }
  for (const host of hosts.values())
    if (host.nodeId !== ownNodeId) add({ mac: macOfHost(host.nodeId), addresses: [], host: host.address })
  for (const member of members) {
    const host = hosts.get(member.nodeId)
    if (member.nodeId === ownNodeId || host === undefined) continue
    const entry = entryOf(member, host.address)
    if (entry !== undefined) add(entry)
  }
  return entries
}

function entryOf(member: DataPlaneMember, host: string): ForwardingEntry | undefined {
  const before = known.get(member)
  if (before?.host === host) return before
  const ip = member.addresses.find((address) => address.includes('.'))
  if (ip === undefined) return undefined
  const entry = { mac: macOfAddress(ip), addresses: member.addresses, host }
  known.set(member, entry)
  return entry
}

/**
 * The commands that turn one into the other, with the fewest changes. What is gone goes first: an address that moved
 * is for a moment nowhere, and never at the wrong container.
 */
export function renderForwarding(
  vxlanId: number,
  before: Forwarding,
  after: Forwarding,
): { readonly bridge: string[]; readonly ip: string[]; readonly ip6: string[] } {
  const device = vxlanName(vxlanId)
  const bridge: string[] = []
  const ip: string[] = []
  // Apart, as not every host has it, and what one family refuses must not hold the other up.
  const ip6: string[] = []
  const neighbours = (address: string) => (ipv6.has(address) ? ip6 : ip)
  for (const entry of before.values()) {
    if (same(entry, after.get(entry.mac))) continue
    bridge.push(`fdb del ${entry.mac} dev ${device} dst ${entry.host} self`)
    for (const address of entry.addresses) neighbours(address).push(`neigh del ${address} dev ${device}`)
  }
  for (const entry of after.values()) {
    if (same(entry, before.get(entry.mac))) continue
    bridge.push(`fdb append ${entry.mac} dev ${device} dst ${entry.host} self permanent`)
    for (const address of entry.addresses)
      neighbours(address).push(`neigh replace ${address} lladdr ${entry.mac} dev ${device} nud permanent`)
  }
  return { bridge, ip, ip6 }
}

const same = (a: ForwardingEntry, b: ForwardingEntry | undefined): boolean =>
  a === b || (b !== undefined && a.addresses.join() === b.addresses.join() && a.host === b.host)
