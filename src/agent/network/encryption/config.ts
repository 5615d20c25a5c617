import { createHash } from 'node:crypto'
import type { DataPlaneHost } from '#model/data-plane.ts'
import { formatAddress } from '#model/address.ts'

/** UDP, of the encrypted tunnels between hosts. */
export const encryptionPort = 51_830
/** The hosts' addresses inside: nothing else may ever be sent there. */
export const innerPrefix = 'fd4d:7772:6700::/64'
const innerBase = 0xfd4d_7772_6700_0000n << 64n

/** A host's address inside the encrypted tunnels follows from its id. */
export function innerAddress(nodeId: string): string {
  const digest = createHash('sha256').update(`tunnel ${nodeId}`).digest('hex').slice(0, 16)
  return formatAddress({ bits: 128, value: innerBase | BigInt(`0x${digest}`) })
}

/** What `wg syncconf` reads: this host's key, and who it speaks with. A host without a key is spoken with by nobody. */
export function renderEncryption(
  privateKey: string,
  ownNodeId: string,
  hosts: Iterable<DataPlaneHost>,
): string {
  const lines = ['[Interface]', `PrivateKey = ${privateKey}`, `ListenPort = ${String(encryptionPort)}`]
  for (const { nodeId, tunnelKey, address } of hosts) {
    if (nodeId === ownNodeId || tunnelKey === undefined) continue
    const host = address.includes(':') ? `[${address}]` : address
    lines.push(
      '[Peer]',
      `PublicKey = ${tunnelKey}`,
      `AllowedIPs = ${innerAddress(nodeId)}/128`,
      `Endpoint = ${host}:${String(encryptionPort)}`,
    )
  }
  return `${lines.join('\n')}\n`
}

/** The hosts as an encrypted network sees them: at their inner addresses, and only those that can be there. */
export function innerHosts(hosts: Iterable<DataPlaneHost>): Map<string, DataPlaneHost> {
  const inner = new Map<string, DataPlaneHost>()
  for (const host of hosts)
    if (host.tunnelKey !== undefined) inner.set(host.nodeId, { ...host, address: innerAddress(host.nodeId) })
  return inner
}
