/** Bytes as a base-36 number, padded with zeros to `length` digits: the form of Swarm's tokens. */
export function toBase36(bytes: Uint8Array, length: number): string {
  const number = bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
  return number.toString(36).padStart(length, '0')
}

/** The other way: the last `byteLength` bytes of the number. */
export function fromBase36(digits: string, byteLength: number): Buffer {
  let number = 0n
  for (const digit of digits) number = number * 36n + BigInt(Number.parseInt(digit, 36))
  const hex = BigInt.asUintN(byteLength * 8, number).toString(16)
  return Buffer.from(hex.padStart(byteLength * 2, '0'), 'hex')
}
