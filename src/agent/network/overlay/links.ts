import { execResult } from '#lib/exec.ts'
import { bridgeName, macOfHost, vxlanName } from '../device-names.ts'
import { ipBatch, ipBatchLoose } from '../tools.ts'

/** What the kernel needs to know of one network on this host. */
export interface OverlayLink {
  readonly vxlanId: number
  readonly subnet: string
  readonly nodeId: string
  /** This host's end of the tunnels. */
  readonly localAddress: string
  readonly port: number
  readonly mtu: number
}

const vxlanOverheadBytes = 50

/** The underlay's MTU less what VXLAN adds: of the interface that has this address. */
export async function overlayMtu(localAddress: string): Promise<number> {
  const { stdout } = await execResult('ip', ['-json', 'addr', 'show', 'to', localAddress])
  const [link] = stdout.trim() === '' ? [] : (JSON.parse(stdout) as { mtu?: number }[])
  return (link?.mtu ?? 1500) - vxlanOverheadBytes
}

/**
 * The bridge and the VXLAN device of a network. The device learns nothing and answers for neighbours itself: all it
 * knows is written from the cluster's state. What is there already stays as it is.
 */
export async function ensureLinks(link: OverlayLink): Promise<void> {
  const bridge = bridgeName(link.vxlanId)
  const vxlan = vxlanName(link.vxlanId)
  if (!(await exists(bridge)))
    await ipBatchLoose([`link add ${bridge} address ${macOfHost(link.nodeId)} type bridge`])
  if (!(await exists(vxlan))) {
    const { vxlanId, localAddress, port } = link
    await ipBatch([
      `link add ${vxlan} type vxlan id ${String(vxlanId)} local ${localAddress} dstport ${String(port)} nolearning proxy`,
    ])
  }
  await ipBatch([
    `link set ${bridge} mtu ${String(link.mtu)} up`,
    `link set ${vxlan} mtu ${String(link.mtu)} master ${bridge} up`,
    // For name look-ups and the mesh; who else may send here is for the rules to say.
    `route replace ${link.subnet} dev ${bridge}`,
  ])
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
const exists = async (device: string): Promise<boolean> =>
  (await execResult('ip', ['link', 'show', device])).exitCode === 0
