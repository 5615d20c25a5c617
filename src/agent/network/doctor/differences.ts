import { bridgeName, vxlanName } from '../device-names.ts'
import type { Forwarding } from '../overlay/forwarding.ts'

/** A link as `ip -json -details link show` tells it. */
export interface KernelLink {
  readonly ifname?: string
  readonly flags?: readonly string[]
  readonly mtu?: number
  readonly master?: string
  readonly linkinfo?: { readonly info_data?: Readonly<Record<string, unknown>> }
}

/** What a network's links should be. */
export interface ExpectedLinks {
  readonly vxlanId: number
  readonly mtu: number
  readonly localAddress: string
  readonly port: number
}

/** What is wrong with the bridge and the VXLAN device of a network, in words. */
export function linkDifferences(expected: ExpectedLinks, links: readonly KernelLink[]): string[] {
  const bridge = bridgeName(expected.vxlanId)
  const vxlan = vxlanName(expected.vxlanId)
  const found: string[] = []
  for (const name of [bridge, vxlan]) {
    const link = links.find(({ ifname }) => ifname === name)
    if (link === undefined) {
      found.push(`${name} is missing`)
      continue
    }
    if (link.flags?.includes('UP') !== true) found.push(`${name} is down`)
    if (link.mtu !== expected.mtu)
      found.push(`${name} has the MTU ${String(link.mtu)} instead of ${String(expected.mtu)}`)
    if (name !== vxlan) continue
    if (link.master !== bridge) found.push(`${vxlan} is not on ${bridge}`)
    const { id, port, local, local6 } = link.linkinfo?.info_data ?? {}
    const ends: [string, unknown, unknown][] = [
      ['identifier', id, expected.vxlanId],
      ['UDP port', port, expected.port],
      ['own end', local ?? local6, expected.localAddress],
    ]
    for (const [what, is, should] of ends)
      if (is !== should) found.push(`${vxlan} has the ${what} ${String(is)} instead of ${String(should)}`)
  }
  return found
}

/** What is wrong with a network's forwarding entries. */
export function forwardingDifferences(kernel: Forwarding, expected: Forwarding): string[] {
  const found: string[] = []
  const addressesOf = (entry: object): string => {
    const { mac: _, host: __, ...addresses } = entry as Record<string, unknown>
    return JSON.stringify(addresses)
  }
  for (const [mac, entry] of expected) {
    const present = kernel.get(mac)
    if (present === undefined) found.push(`${mac} leads nowhere instead of to ${entry.host}`)
    else if (present.host !== entry.host)
      found.push(`${mac} leads to ${present.host} instead of to ${entry.host}`)
    else if (addressesOf(present) !== addressesOf(entry))
      found.push(`the neighbour entry of ${mac} is not as it should be`)
  }
  for (const [mac, entry] of kernel)
    if (!expected.has(mac)) found.push(`${mac} leads to ${entry.host}, and should not be there`)
  return found
}
