/** A UDP datagram inside Ethernet inside VXLAN: what one host's tunnel sends to another's. */
export function tunnelPacket(inner: {
  readonly vxlanId: number
  readonly from: { readonly mac: string; readonly ip: string }
  readonly to: { readonly mac: string; readonly ip: string }
  readonly port: number
  readonly text: string
}): Buffer {
  const payload = Buffer.from(inner.text)
  const vxlan = Buffer.alloc(8)
  vxlan.writeUInt8(0x08, 0)
  vxlan.writeUIntBE(inner.vxlanId, 4, 3)
  const ethernet = Buffer.concat([macBytes(inner.to.mac), macBytes(inner.from.mac), Buffer.from([0x08, 0])])
  const ip = Buffer.alloc(20)
  ip.writeUInt8(0x45, 0)
  ip.writeUInt16BE(28 + payload.length, 2)
  ip.writeUInt8(64, 8)
  ip.writeUInt8(17, 9)
  ipBytes(inner.from.ip).copy(ip, 12)
  ipBytes(inner.to.ip).copy(ip, 16)
  ip.writeUInt16BE(checksum(ip), 10)
  const udp = Buffer.alloc(8)
  udp.writeUInt16BE(inner.port, 0)
  udp.writeUInt16BE(inner.port, 2)
  udp.writeUInt16BE(8 + payload.length, 4)
  return Buffer.concat([vxlan, ethernet, ip, udp, payload])
}

const macBytes = (mac: string): Buffer => Buffer.from(mac.replaceAll(':', ''), 'hex')
const ipBytes = (ip: string): Buffer => Buffer.from(ip.split('.').map(Number))

function checksum(header: Buffer): number {
  let sum = 0
  for (let at = 0; at < header.length; at += 2) sum += header.readUInt16BE(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
  return ~sum & 0xffff
}
