import { MureError } from '#lib/errors.ts'
import { execResult } from '#lib/exec.ts'
import { bridgeName, hostVeth, macOfAddress } from '../device-names.ts'
import type { Cable } from '../guard/cables.ts'
import { ipBatch, ipBatchLoose } from '../tools.ts'
import type { CableEnd, Wiring } from '../wiring.ts'

export interface OverlayWiringParts {
  /** Tells apart the daemons that share a host. */
  readonly mark: string
  /** The VXLAN identifier and MTU of one of our networks, whose links are there by then. */
  readonly links: (networkId: string) => Promise<{ readonly vxlanId: number; readonly mtu: number }>
  /** What a container may send by its cable, before there is one, and after it is gone. */
  readonly guard: {
    readonly admit: (cable: Cable) => Promise<void>
    readonly dismiss: (device: string) => Promise<void>
  }
}

/** A pair of veths: one end on the network's bridge, the other in the sandbox. */
export class OverlayWiring implements Wiring {
  readonly reachesHost = true
  readonly #parts: OverlayWiringParts

  constructor(parts: OverlayWiringParts) {
    this.#parts = parts
  }

  async connect(end: CableEnd): Promise<{ mac: string }> {
    const { mark, links, guard } = this.#parts
    const { vxlanId, mtu } = await links(end.networkId)
    const mac = macOfAddress(end.address)
    // Other hosts tell it by the address as well: nobody has another's.
    if (end.mac !== '' && end.mac.toLowerCase() !== mac)
      throw new MureError(
        'invalid',
        `a hardware address cannot be chosen on a network of the swarm: there ${end.address} has ${mac}`,
      )
    const outer = hostVeth(mark, end.endpointId)
    const addresses = [end.address, end.address6].filter((one) => one !== '')
    await guard.admit({ device: outer, mac, addresses })
    await ipBatchLoose([`link del ${outer}`])
    await ipBatch([
      `link add ${outer} mtu ${String(mtu)} type veth peer name ${end.link} mtu ${String(mtu)} address ${mac}`,
      `link set ${outer} master ${bridgeName(vxlanId)} up`,
    ])
    return { mac }
  }

  async disconnect(endpointId: string): Promise<void> {
    const device = hostVeth(this.#parts.mark, endpointId)
    await execResult('ip', ['link', 'del', device])
    await this.#parts.guard.dismiss(device)
  }

  gatewayOf(): Promise<string> {
    return Promise.resolve('')
  }
}
