import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { MureError } from '#lib/errors.ts'
import type { Clock } from '#lib/clock.ts'
import { aged, lifetimeOf } from './message.ts'

const timeoutMs = 1_500
/** Questions of one asker that are under way at a time: more are refused, so that others' are answered. */
const mostOfAsker = 64
const mostAtAll = 1_024
const mostKept = 4_096
const mostKeptSeconds = 300

interface Kept {
  readonly answer: Buffer
  readonly at: number
  readonly seconds: number
}

/** The host's own name servers, asked for what is not ours. Answers are kept for as long as they say. */
export class Upstream {
  readonly #servers: () => Promise<readonly string[]>
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #kept = new Map<string, Kept>()
  readonly #underWay = new Map<string, Promise<Buffer>>()
  readonly #ofAsker = new Map<string, number>()
  #port = 53

  constructor(parts: {
    /** Asked for each question anew: they change with the host's networks. */
    readonly servers: () => Promise<readonly string[]>
    readonly clock: Pick<Clock, 'monotonicMs'>
    readonly port?: number
  }) {
    this.#servers = parts.servers
    this.#clock = parts.clock
    this.#port = parts.port ?? 53
  }

  /** `unavailable`: nobody answers; `exhausted`: the asker, or all together, wait for too much already. */
  async ask(message: Buffer, asker: string, protocol: 'udp' | 'tcp'): Promise<Buffer> {
    // All but the number of the question.
    const key = `${protocol} ${message.toString('latin1', 2)}`
    const kept = this.#find(key)
    if (kept !== undefined) return numbered(kept, message)
    const waiting = this.#underWay.get(key)
    if (waiting !== undefined) return numbered(await waiting, message)
    const count = this.#ofAsker.get(asker) ?? 0
    if (count >= mostOfAsker || this.#underWay.size >= mostAtAll)
      throw new MureError('exhausted', `too many questions of ${asker} are under way`)
    this.#ofAsker.set(asker, count + 1)
    const asked = this.#askAll(message, protocol)
    this.#underWay.set(key, asked)
    try {
      const answer = await asked
      this.#keep(key, answer)
      return answer
    } finally {
      this.#underWay.delete(key)
      const left = (this.#ofAsker.get(asker) ?? 1) - 1
      if (left <= 0) this.#ofAsker.delete(asker)
      else this.#ofAsker.set(asker, left)
    }
  }

  #find(key: string): Buffer | undefined {
    const kept = this.#kept.get(key)
    if (kept === undefined) return undefined
    const seconds = Math.floor((this.#clock.monotonicMs() - kept.at) / 1_000)
    if (seconds < kept.seconds) return aged(kept.answer, seconds)
    this.#kept.delete(key)
    return undefined
  }

  #keep(key: string, answer: Buffer): void {
    const code = (answer[3] ?? 0) & 15
    const isWhole = ((answer[2] ?? 0) & 2) === 0
    const seconds = Math.min(mostKeptSeconds, lifetimeOf(answer) ?? 0)
    // An answer, or that there is no such name; failures may pass.
    if ((code !== 0 && code !== 3) || !isWhole || seconds <= 0) return
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size < mostKept) break
      this.#kept.delete(oldest)
    }
    this.#kept.set(key, { answer, at: this.#clock.monotonicMs(), seconds })
  }

  async #askAll(message: Buffer, protocol: 'udp' | 'tcp'): Promise<Buffer> {
    for (const server of await this.#servers()) {
      const asked =
        protocol === 'udp' ? askByUdp(server, this.#port, message) : askByTcp(server, this.#port, message)
      const answer = await asked.catch(() => undefined)
      if (answer !== undefined) return answer
    }
    throw new MureError('unavailable', 'no name server of this host answers')
  }
}

/** The same answer, to another question of the same words. */
function numbered(answer: Buffer, message: Buffer): Buffer {
  const copy = Buffer.from(answer)
  message.copy(copy, 0, 0, 2)
  return copy
}

function askByUdp(server: string, port: number, query: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(server.includes(':') ? 'udp6' : 'udp4')
    const end = (settle: () => void) => {
      clearTimeout(timer)
      socket.close()
      settle()
    }
    const timer = setTimeout(() => {
      end(() => {
        reject(new MureError('timeout', `${server} does not answer`))
      })
    }, timeoutMs)
    socket.once('error', (error) => {
      end(() => {
        reject(error)
      })
    })
    socket.on('message', (message) => {
      // Of another question.
      if (message.length < 12 || message.readUInt16BE(0) !== query.readUInt16BE(0)) return
      end(() => {
        resolve(message)
      })
    })
    // Connected: what others send is not heard.
    socket.connect(port, server, () => {
      socket.send(query)
    })
  })
}

function askByTcp(server: string, port: number, query: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, server)
    let held = Buffer.alloc(0)
    const timer = setTimeout(() => {
      socket.destroy(new MureError('timeout', `${server} does not answer`))
    }, timeoutMs)
    socket.once('connect', () => socket.write(framed(query)))
    socket.once('error', reject)
    socket.once('close', () => {
      clearTimeout(timer)
      reject(new MureError('unavailable', `${server} has ended the connection`))
    })
    socket.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk])
      if (held.length < 2 || held.length < 2 + held.readUInt16BE(0)) return
      resolve(held.subarray(2, 2 + held.readUInt16BE(0)))
      socket.destroy()
    })
  })
}

/** As it goes over TCP: its length first. */
export function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(2)
  head.writeUInt16BE(message.length)
  return Buffer.concat([head, message])
}
