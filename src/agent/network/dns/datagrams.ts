import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Random } from '#lib/random.ts'
import type { Edition } from './edition.ts'
import { isQuestion, renderFailure, responseCodes } from './message.ts'
import { ReadyAnswers } from './ready-answers.ts'
import type { RecordPlaces } from './ready-answers.ts'

/** Gives the answer, once. With places: the same question of the same asker has the same answer until names change. */
export type Send = (reply: Buffer, places?: RecordPlaces) => void

export interface DatagramParts {
  readonly address: string
  readonly port: number
  readonly edition: Edition
  readonly random: Random
  /** Is asked what is not ready. Throws nothing, and answers each question. */
  readonly respond: (message: Buffer, from: string, send: Send) => void
  readonly complain: (error: unknown) => void
}

/** Questions of one container that are not answered yet: more fail at once. */
const mostWaiting = 256

/** Answers names by UDP, from what is ready where it can. Throws when the address cannot be had. */
export async function serveDatagrams(parts: DatagramParts): Promise<AsyncDisposable> {
  const { edition, respond, complain } = parts
  const ready = new ReadyAnswers(parts.random)
  const waiting = new Map<string, number>()
  let isOpen = true
  const socket = createSocket({
    type: 'udp4',
    // Only addresses are sent to: node would look each up all the same.
    lookup: (address, _options, found) => {
      found(null, address, 4)
    },
  })
  const send = (reply: Buffer, port: number, address: string) => {
    if (isOpen)
      socket.send(reply, port, address, (error) => {
        if (error !== null) complain(error)
      })
  }
  socket.on('message', (message, { address, port }) => {
    // Nobody can be answered there.
    if (port === 0 || !isQuestion(message)) return
    const before = edition.now
    const known = ready.find(before, address, message)
    if (known !== undefined) {
      send(known, port, address)
      return
    }
    const count = waiting.get(address) ?? 0
    if (count >= mostWaiting) {
      send(renderFailure(message, responseCodes.serverFailure), port, address)
      return
    }
    waiting.set(address, count + 1)
    respond(message, address, (reply, places) => {
      const left = (waiting.get(address) ?? 1) - 1
      if (left > 0) waiting.set(address, left)
      else waiting.delete(address)
      if (places !== undefined && before === edition.now) ready.keep(before, address, message, reply, places)
      send(reply, port, address)
    })
  })
  // The look-up above comes back at once, and so may this.
  const bound = once(socket, 'listening')
  socket.bind(parts.port, parts.address)
  await bound
  socket.on('error', complain)
  return {
    async [Symbol.asyncDispose]() {
      isOpen = false
      const closed = once(socket, 'close')
      socket.close()
      await closed
    },
  }
}
