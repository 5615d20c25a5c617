import type { Random } from '#lib/random.ts'
import { shuffled } from '#lib/random.ts'
import { formatAddress, parseAddress } from '#model/address.ts'
import type { DataPlaneState } from '../data-plane-state.ts'
import { nameData, recordTypes, renderAnswer } from './message.ts'
import type { Query } from './message.ts'
import { addressesOf, nameOf } from './names.ts'
import type { Asker } from './names.ts'

/** How long an answer may be kept: the engine's resolver between us and the task keeps none. */
const ttlSeconds = 5

/** The answer to a question, or undefined where it is not ours to answer. `limit`: the most bytes it may have. */
export function answer(
  query: Query,
  asker: Asker,
  state: DataPlaneState,
  random: Random,
  limit: number,
): Buffer | undefined {
  const { name, type, isInternet } = query
  if (!isInternet) return undefined
  if (type === recordTypes.ptr) {
    const address = addressOfPointer(name)
    const target = address === undefined ? undefined : nameOf(address, asker, state)
    if (target === undefined) return undefined
    return renderAnswer(query, [{ type, data: nameData(target) }], { ttlSeconds, limit })
  }
  const addresses = addressesOf(name, asker, state)
  if (addresses === undefined) return undefined
  // Our names have addresses and nothing else; who is upstream need not hear of them.
  const records = shuffled(random, addresses).flatMap((text) => {
    const record = recordOf(text)
    return record !== undefined && (type === record.type || type === recordTypes.any) ? [record] : []
  })
  return renderAnswer(query, records, { ttlSeconds, limit })
}

function recordOf(text: string): { type: number; data: Buffer } | undefined {
  const address = parseAddress(text)
  if (address === undefined) return undefined
  const data = Buffer.from(address.value.toString(16).padStart(address.bits / 4, '0'), 'hex')
  return { type: address.bits === 32 ? recordTypes.a : recordTypes.aaaa, data }
}

const suffixFour = '.in-addr.arpa'
const suffixSix = '.ip6.arpa'

/** The address that the name of a reverse look-up means, as it is written everywhere else. */
export function addressOfPointer(name: string): string | undefined {
  let text: string | undefined
  if (name.endsWith(suffixFour)) text = name.slice(0, -suffixFour.length).split('.').reverse().join('.')
  else if (name.endsWith(suffixSix)) {
    const digits = name.slice(0, -suffixSix.length).split('.')
    if (digits.length === 32 && digits.every((digit) => /^[0-9a-f]$/.test(digit)))
      text = digits
        .reverse()
        .join('')
        .replace(/(.{4})(?=.)/g, '$1:')
  }
  const address = text === undefined ? undefined : parseAddress(text)
  return address === undefined ? undefined : formatAddress(address)
}
