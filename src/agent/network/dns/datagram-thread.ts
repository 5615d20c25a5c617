// A thread that answers names by UDP, so that nothing else that this daemon does delays them: from what is ready, and
// for the rest by asking the main thread. Started by `datagrams.ts`, with whom it shares the messages below.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { getPriority, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { systemRandom } from '#lib/random.ts'
import { Edition } from './edition.ts'
import { isQuestion, renderFailure, responseCodes } from './message.ts'
import { ReadyAnswers } from './ready-answers.ts'
import type { RecordPlaces } from './ready-answers.ts'

export interface ThreadData {
  readonly address: string
  readonly port: number
  readonly edition: Int32Array<SharedArrayBuffer>
}

export type FromThread =
  | { readonly type: 'listening' }
  | { readonly type: 'question'; readonly id: number; readonly from: string; readonly message: Uint8Array }
  | { readonly type: 'complaint'; readonly text: string }

/** The answer to a question. With `ready`: it may be given again while the edition lasts. */
export interface ToThread {
  readonly id: number
  readonly reply: Uint8Array
  readonly ready?: { readonly edition: number; readonly places: RecordPlaces }
}

/** Questions of one container that the main thread has not answered yet: more fail at once. */
const mostWaiting = 256
const complainEveryMs = 10_000
/** Before other work of this host: an answer takes a few microseconds, and everybody waits for it. */
const priority = -10

if (parentPort !== null) await serve(workerData as ThreadData, parentPort)

async function serve(
  data: ThreadData,
  main: {
    postMessage(message: FromThread): void
    on(event: 'message', hear: (message: ToThread) => void): void
  },
): Promise<void> {
  // Linux counts a thread's own; who may not, answers as others do.
  try {
    if (getPriority(0) > priority) setPriority(0, priority)
  } catch {}
  const edition = new Edition(data.edition)
  const ready = new ReadyAnswers(systemRandom)
  const waiting = new Map<number, { from: string; port: number; message: Buffer }>()
  const countOf = new Map<string, number>()
  let last = 0
  let complainedAt = -Infinity
  const complain = (error: Error | null) => {
    if (error === null || performance.now() - complainedAt < complainEveryMs) return
    complainedAt = performance.now()
    main.postMessage({ type: 'complaint', text: error.message })
  }
  const socket = createSocket({
    type: 'udp4',
    // Only addresses are sent to: node would look each up all the same.
    lookup: (address, _options, found) => {
      found(null, address, 4)
    },
  })
  const send = (reply: Uint8Array, port: number, address: string) => {
    socket.send(reply, port, address, complain)
  }
  socket.on('message', (message, { address, port }) => {
    // Nobody can be answered there.
    if (port === 0 || !isQuestion(message)) return
    const reply = ready.find(edition.now, address, message)
    if (reply !== undefined) {
      send(reply, port, address)
      return
    }
    const count = countOf.get(address) ?? 0
    if (count >= mostWaiting) {
      send(renderFailure(message, responseCodes.serverFailure), port, address)
      return
    }
    countOf.set(address, count + 1)
    last += 1
    waiting.set(last, { from: address, port, message })
    // A copy of these bytes alone: what is posted takes the whole memory behind a view along.
    main.postMessage({ type: 'question', id: last, from: address, message: Uint8Array.from(message) })
  })
  main.on('message', ({ id, reply, ready: kept }) => {
    const question = waiting.get(id)
    if (question === undefined) return
    waiting.delete(id)
    const { from, port, message } = question
    const left = (countOf.get(from) ?? 1) - 1
    if (left > 0) countOf.set(from, left)
    else countOf.delete(from)
    if (kept !== undefined && kept.edition === edition.now)
      ready.keep(kept.edition, from, message, Buffer.from(reply), kept.places)
    send(reply, port, from)
  })
  // The look-up above comes back at once, and so may this.
  const bound = once(socket, 'listening')
  socket.bind(data.port, data.address)
  await bound
  socket.on('error', complain)
  main.postMessage({ type: 'listening' })
}
