// The wire format of names, as far as a server of addresses needs it: the question is given back byte for byte, so
// that no question, however odd, can make an answer that cannot be written.
// @see RFC 1035, RFC 6891 (EDNS)

import type { RecordPlaces } from './ready-answers.ts'

export const recordTypes = { a: 1, ptr: 12, soa: 6, aaaa: 28, opt: 41, any: 255 } as const
const classInternet = 1

export const responseCodes = {
  none: 0,
  formatError: 1,
  serverFailure: 2,
  noSuchName: 3,
  notImplemented: 4,
  refused: 5,
} as const

const headerBytes = 12
/** Of the third byte: there is more than was sent (TC). */
const cutBit = 2
const plainUdpBytes = 512
const ownUdpBytes = 4_096
const mostPointers = 16

/** A question as it came. */
export interface Query {
  readonly message: Buffer
  /** In lower case, without the last dot. A label that no host name has makes it a name that nobody has. */
  readonly name: string
  readonly type: number
  readonly isInternet: boolean
  /** Where the question ends within the message. */
  readonly end: number
  readonly hasOptions: boolean
  /** What the asker can take by UDP. */
  readonly udpBytes: number
}

/** It is of the length of a message, and not an answer itself: two servers could answer one another for ever. */
export const isQuestion = (message: Buffer): boolean =>
  message.length >= headerBytes && ((message[2] ?? 0) & 0x80) === 0

/** Undefined for what is no question: nobody answers it. A code: for what is one that cannot be answered. */
export function parseQuery(message: Buffer): Query | number | undefined {
  if (!isQuestion(message)) return undefined
  if (((message[2] ?? 0) >> 3) & 15) return responseCodes.notImplemented
  if (message.readUInt16BE(4) !== 1) return responseCodes.formatError
  const read = readName(message, headerBytes)
  if (read === undefined || read.end + 4 > message.length) return responseCodes.formatError
  const type = message.readUInt16BE(read.end)
  const isInternet = message.readUInt16BE(read.end + 2) === classInternet
  const end = read.end + 4
  let hasOptions = false
  let udpBytes = plainUdpBytes
  for (const record of records(message, end)) {
    if (record.type !== recordTypes.opt) continue
    hasOptions = true
    udpBytes = Math.max(plainUdpBytes, record.class)
  }
  return { message, name: read.name.toLowerCase(), type, isInternet, end, hasOptions, udpBytes }
}

/** One record's data: an address, or for a pointer a name. */
export type RecordData = { readonly type: number; readonly data: Buffer }

/**
 * The answer to a question, cut to as many records as fit and marked as cut: who wants all comes back by TCP, and there
 * are resolvers that never do.
 */
export function renderAnswer(
  query: Query,
  answers: readonly RecordData[],
  options: { readonly ttlSeconds: number; readonly code?: number; readonly limit: number },
): Buffer {
  const question = query.message.subarray(0, query.end)
  const additional = query.hasOptions ? optionsRecord : Buffer.alloc(0)
  const listed = fitting(answers, options.limit - question.length - additional.length)
  const isCut = listed.length < answers.length
  const parts: Buffer[] = [Buffer.from(question)]
  for (const { type, data } of listed) {
    const head = Buffer.alloc(12)
    // The question's own name.
    head.writeUInt16BE(0xc000 | headerBytes, 0)
    head.writeUInt16BE(type, 2)
    head.writeUInt16BE(classInternet, 4)
    head.writeUInt32BE(options.ttlSeconds, 6)
    head.writeUInt16BE(data.length, 10)
    parts.push(head, data)
  }
  const reply = Buffer.concat([...parts, additional])
  const isAuthoritative = options.code === undefined || options.code === responseCodes.noSuchName
  writeHead(reply, options.code ?? responseCodes.none, (isAuthoritative ? 4 : 0) | (isCut ? cutBit : 0))
  reply.writeUInt16BE(1, 4)
  reply.writeUInt16BE(listed.length, 6)
  reply.writeUInt16BE(0, 8)
  reply.writeUInt16BE(query.hasOptions ? 1 : 0, 10)
  return reply
}

function fitting(answers: readonly RecordData[], bytes: number): readonly RecordData[] {
  let left = bytes
  const end = answers.findIndex(({ data }) => (left -= 12 + data.length) < 0)
  return end === -1 ? answers : answers.slice(0, end)
}

/** Where the records of an answer of ours are. Undefined: they are not all of one size, or not all that there are. */
export function placesOf(query: Query, reply: Buffer): RecordPlaces | undefined {
  if (query.type === recordTypes.any || ((reply[2] ?? 0) & cutBit) !== 0) return undefined
  const count = reply.readUInt16BE(6)
  const rest = reply.length - query.end - (query.hasOptions ? optionsRecord.length : 0)
  return { at: query.end, count, bytes: count === 0 ? 0 : rest / count }
}

/** The head of the message alone, with the code in it. */
export function renderFailure(message: Buffer, code: number): Buffer {
  const reply = Buffer.alloc(headerBytes)
  message.copy(reply, 0, 0, 3)
  writeHead(reply, code, 0)
  return reply
}

/** A name as a record has it. Longer than a name may be: empty. */
export function nameData(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '')
  if (name.length > 253 || labels.some((label) => Buffer.byteLength(label) > 63)) return Buffer.from([0])
  return Buffer.concat([
    ...labels.flatMap((label) => [Buffer.from([Buffer.byteLength(label)]), Buffer.from(label)]),
    Buffer.from([0]),
  ])
}

/** How long an answer may be kept, in seconds: as long as its shortest-lived record. Undefined: it says nothing of it. */
export function lifetimeOf(message: Buffer): number | undefined {
  if (message.length < headerBytes || message.readUInt16BE(4) !== 1) return undefined
  const question = readName(message, headerBytes)
  if (question === undefined) return undefined
  let lifetime: number | undefined
  for (const { type, ttl } of records(message, question.end + 4))
    if (type !== recordTypes.opt) lifetime = Math.min(lifetime ?? ttl, ttl)
  return lifetime
}

/** The answer as it is after some seconds: each record has that much less left. */
export function aged(message: Buffer, seconds: number): Buffer {
  const copy = Buffer.from(message)
  const question = readName(copy, headerBytes)
  if (question === undefined) return copy
  for (const { type, ttl, ttlAt } of records(copy, question.end + 4))
    if (type !== recordTypes.opt) copy.writeUInt32BE(Math.max(0, ttl - seconds), ttlAt)
  return copy
}

interface RecordHead {
  readonly type: number
  readonly class: number
  readonly ttl: number
  readonly ttlAt: number
}

/** The records after the question, as far as they can be read. */
function* records(message: Buffer, from: number): Generator<RecordHead> {
  const count = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10)
  let at = from
  for (let i = 0; i < count; i++) {
    const name = readName(message, at)
    if (name === undefined || name.end + 10 > message.length) return
    const type = message.readUInt16BE(name.end)
    const ttlAt = name.end + 4
    yield { type, class: message.readUInt16BE(name.end + 2), ttl: message.readUInt32BE(ttlAt), ttlAt }
    at = name.end + 10 + message.readUInt16BE(name.end + 8)
    if (at > message.length) return
  }
}

function readName(
  message: Buffer,
  from: number,
): { readonly name: string; readonly end: number } | undefined {
  const labels: string[] = []
  let at = from
  let end: number | undefined
  let pointers = 0
  let size = 0
  for (;;) {
    const length = message[at]
    if (length === undefined) return undefined
    if (length === 0) return { name: labels.join('.'), end: end ?? at + 1 }
    if (length >= 0xc0) {
      const low = message[at + 1]
      if (low === undefined || ++pointers > mostPointers) return undefined
      end ??= at + 2
      at = ((length & 0x3f) << 8) | low
      continue
    }
    size += length + 1
    if (length > 63 || size > 255 || at + 1 + length > message.length) return undefined
    const label = message.toString('latin1', at + 1, at + 1 + length)
    labels.push(/[^\x21-\x7e]|\./.test(label) ? '?' : label)
    at += 1 + length
  }
}

/** An answer (QR) with recursion available, and what was asked of recursion. */
function writeHead(reply: Buffer, code: number, bits: number): void {
  reply[2] = 0x80 | ((reply[2] ?? 0) & 0x01) | bits
  reply[3] = 0x80 | code
}

const optionsRecord = Buffer.from([
  0,
  0,
  recordTypes.opt,
  ownUdpBytes >> 8,
  ownUdpBytes & 255,
  0,
  0,
  0,
  0,
  0,
  0,
])
