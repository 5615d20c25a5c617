import { MureError } from '#lib/errors.ts'

/** Docker's `since` and `until`: seconds of the epoch, with up to nine decimals. Undefined for none. */
export function parseTimestamp(text: string): bigint | undefined {
  if (text === '') return undefined
  const match = /^(\d+)(?:\.(\d{1,9}))?$/.exec(text)
  if (match === null) throw new MureError('invalid', `strconv.ParseInt: parsing "${text}": invalid syntax`)
  return BigInt(match[1] ?? '0') * 1_000_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'))
}

export const renderTimestamp = (nano: bigint): string =>
  `${(nano / 1_000_000_000n).toString()}.${(nano % 1_000_000_000n).toString().padStart(9, '0')}`
