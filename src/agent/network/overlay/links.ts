import { execResult } from '#lib/exec.ts'
import { bridgeName, macOfHost, vxlanName } from '../device-names.ts'
import { ipv4, ipv6 } from '../family.ts'
import { ipBatch, ipBatchLoose } from '../tools.ts'

/** What the kernel needs to know of one network on this host. */
export interface OverlayLink {
  readonly vxlanId: number
  /** IPv4 first. */
  readonly subnets: readonly string[]
  readonly nodeId: string
  /** Of the daemon. */
  readonly mark: string
  /** This host's end of the tunnels. */
  readonly localAddress: string
  readonly port: number
  readonly mtu: number
}

/** What VXLAN adds to a frame, its tunnel's IP header included. */
export const overheadBytes = (tunnelEnd: string): number => (tunnelEnd.includes(':') ? 70 : 50)

/** Of the interface that has this address. */
export async function mtuOf(localAddress: string): Promise<number> {
  const { stdout } = await execResult('ip', ['-json', 'addr', 'show', 'to', localAddress])
  const [link] = stdout.trim() === '' ? [] : (JSON.parse(stdout) as { mtu?: number }[])
  return link?.mtu ?? 1500
}

/**
 * The bridge and the VXLAN device of a network. The device learns nothing and answers for neighbours itself: all it
 * knows is written from the cluster's state. What is there already as it should be stays; a device whose tunnels end
 * elsewhere is made anew. The answer says whether one was made: whoever knows the former by its number does not know it.
 */
export async function ensureLinks(link: OverlayLink): Promise<boolean> {
  const bridge = bridgeName(link.vxlanId)
  const vxlan = vxlanName(link.vxlanId)
  const owner = `alias ${ownerOf(link.mark)}`
  if ((await linkData(bridge)) === undefined)
    await ipBatchLoose([
      `link add ${bridge} address ${macOfHost(link.nodeId)} type bridge`,
      `link set ${bridge} ${owner}`,
    ])
  const present = await linkData(vxlan)
  if (present !== undefined && !isVxlanOf(present, link)) await ipBatch([`link del ${vxlan}`])
  const isNew = present === undefined || !isVxlanOf(present, link)
  if (isNew) {
    const { vxlanId, localAddress, port } = link
    await ipBatch([
      `link add ${vxlan} type vxlan id ${String(vxlanId)} local ${localAddress} dstport ${String(port)} nolearning proxy`,
      `link set ${vxlan} ${owner}`,
    ])
  }
  await ipBatch([
    `link set ${bridge} mtu ${String(link.mtu)} up`,
    `link set ${vxlan} mtu ${String(link.mtu)} master ${bridge} up`,
    // For name look-ups and the mesh; who else may send here is for the rules to say.
    ...link.subnets.filter(ipv4.has).map((subnet) => `route replace ${subnet} dev ${bridge}`),
  ])
  // Not every host has it.
  await ipBatchLoose(link.subnets.filter(ipv6.has).map((subnet) => `route replace ${subnet} dev ${bridge}`))
  return isNew
}

export interface LinkData {
  readonly ifname?: string
  readonly master?: string
  readonly ifalias?: string
  readonly linkinfo?: { readonly info_data?: Readonly<Record<string, unknown>> }
}

/** What tells our devices from those of another daemon on the same host. */
const ownerOf = (mark: string): string => `mure-${mark}`

function isVxlanOf({ linkinfo }: LinkData, link: OverlayLink): boolean {
  const data = linkinfo?.info_data ?? {}
  const local = data['local'] ?? data['local6']
  return data['id'] === link.vxlanId && data['port'] === link.port && local === link.localAddress
}

/** Devices that this daemon made before it was started anew, whose networks are not here any more. */
export async function removeStaleLinks(mark: string, wanted: ReadonlySet<number>): Promise<string[]> {
  const stale = staleLinks(await readLinks(['link', 'show']), mark, wanted)
  await ipBatchLoose(stale.map((name) => `link del ${name}`))
  return stale
}

/** A bridge with a container's cable on it is in use, whatever is known of its network by now. */
export function staleLinks(links: readonly LinkData[], mark: string, wanted: ReadonlySet<number>): string[] {
  const kept = new Set([...wanted].flatMap((id) => [bridgeName(id), vxlanName(id)]))
  const own = new Set(
    links.flatMap(({ ifname = '', ifalias }) => (ifalias === ownerOf(mark) ? [ifname] : [])),
  )
  for (const { ifname = '', master } of links)
    if (master !== undefined && !own.has(ifname)) {
      kept.add(master)
      for (const port of links) if (port.master === master) kept.add(port.ifname ?? '')
    }
  return [...own].filter((name) => !kept.has(name))
}

/** A bridge that still has somebody else's cable on it is left alone. */
export async function removeLinks(vxlanId: number): Promise<void> {
  const bridge = bridgeName(vxlanId)
  const vxlan = vxlanName(vxlanId)
  const { stdout } = await execResult('ip', ['-json', 'link', 'show', 'master', bridge])
  const ports = stdout.trim() === '' ? [] : (JSON.parse(stdout) as { ifname?: string }[])
  if (ports.some(({ ifname }) => ifname !== vxlan)) return
  await ipBatchLoose([`link del ${vxlan}`, `link del ${bridge}`])
}

// Not by /sys, which may be that of another network namespace.
const linkData = async (device: string): Promise<LinkData | undefined> =>
  (await readLinks(['-details', 'link', 'show', device]))[0]

async function readLinks(args: readonly string[]): Promise<LinkData[]> {
  const { stdout, exitCode } = await execResult('ip', ['-json', ...args])
  return exitCode !== 0 || stdout.trim() === '' ? [] : (JSON.parse(stdout) as LinkData[])
}
