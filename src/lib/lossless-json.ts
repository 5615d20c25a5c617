/**
 * JSON whose integers keep every digit. Docker writes nanosecond times and 64-bit counters, and `JSON.parse` alone
 * would round what lies beyond 2^53.
 */

/** As `JSON.parse`, but an integer that a number cannot hold becomes a bigint. */
export function parseJson(text: string): unknown {
  // Most texts hold no such number, and a reviver costs several times the parsing itself.
  if (!/\d{16}/.test(text)) return JSON.parse(text)
  return JSON.parse(text, keepLargeInteger)
}

/** The current lib typings do not know the third argument: the value as it was written. */
const keepLargeInteger = ((_key: string, value: unknown, context?: { source?: string }): unknown => {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  return context?.source !== undefined && /^-?\d+$/.test(context.source) ? BigInt(context.source) : value
}) as (this: unknown, key: string, value: unknown) => unknown

/** As `JSON.stringify`; a bigint is written as a bare integer. */
export function stringifyJson(value: unknown): string {
  // Few values hold one, and a replacer costs several times the writing itself.
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
  }
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'bigint' ? rawJson(member.toString()) : member,
  )
}

const { rawJSON: rawJson } = JSON as unknown as { rawJSON: (text: string) => unknown }
