import type { Answer, DecodedPacket, Packet } from 'dns-packet'
import type { Random } from '#lib/random.ts'
import { shuffled } from '#lib/random.ts'
import type { DataPlaneState } from '../data-plane-state.ts'
import { addressesOf, nameOf } from './names.ts'
import type { Asker } from './names.ts'

/** How long an answer may be kept: the engine's resolver between us and the task keeps none. */
const ttlSeconds = 5
const nxDomain = 3

/** The answer to a question, or undefined where it is not ours to answer. */
export function answer(
  query: DecodedPacket,
  asker: Asker,
  state: DataPlaneState,
  random: Random,
): Packet | undefined {
  const [question] = query.questions ?? []
  if (question === undefined) return reply(query, [], nxDomain)
  const { name, type } = question
  if (type === 'PTR') {
    const address = addressOfPointer(name)
    const target = address === undefined ? undefined : nameOf(address, asker, state)
    if (target === undefined) return undefined
    return reply(query, [{ name, type: 'PTR', ttl: ttlSeconds, data: target }])
  }
  const addresses = addressesOf(name, asker, state)
  if (addresses === undefined) return undefined
  // Our names have addresses and nothing else; who is upstream need not hear of them.
  if (type !== 'A' && type !== 'AAAA') return reply(query, [])
  const wanted = addresses.filter((address) => address.includes(':') === (type === 'AAAA'))
  const answers = shuffled(random, wanted).map((data): Answer => ({ name, type, ttl: ttlSeconds, data }))
  return reply(query, answers)
}

/** AA and RA are set, and what the question had of an identity comes back. */
export function reply(query: DecodedPacket, answers: Answer[], code = 0): Packet {
  const authoritative = 1 << 10
  const recursionDesired = (query.flags ?? 0) & (1 << 8)
  const recursionAvailable = 1 << 7
  return {
    type: 'response',
    id: query.id ?? 0,
    flags: authoritative | recursionDesired | recursionAvailable | code,
    questions: query.questions ?? [],
    answers,
    ...((query.additionals ?? []).some((record) => record.type === 'OPT')
      ? {
          additionals: [
            {
              type: 'OPT',
              name: '.',
              udpPayloadSize: 4096,
              flags: 0,
              options: [],
              extendedRcode: 0,
              ednsVersion: 0,
              flag_do: false,
            },
          ],
        }
      : {}),
  }
}

function addressOfPointer(name: string): string | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa\.?$/i.exec(name)
  return match === null ? undefined : [match[4], match[3], match[2], match[1]].join('.')
}
