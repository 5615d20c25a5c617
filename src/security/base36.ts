/** Bytes as a base-36 number, padded with zeros to `length` digits: the form of Swarm's tokens. */
export function toBase36(bytes: Uint8Array, length: number): string {
  const number = bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
  return number.toString(36).padStart(length, '0')
}
