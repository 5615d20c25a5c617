import { Worker } from 'node:worker_threads'
import { MureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { sleep } from '#lib/wait.ts'
import type { FromThread, ThreadData, ToThread } from './datagram-thread.ts'
import type { Edition } from './edition.ts'
import type { RecordPlaces } from './ready-answers.ts'

/** Gives the answer, once. With places: the same question of the same asker has the same answer until names change. */
export type Send = (reply: Buffer, places?: RecordPlaces) => void

export interface DatagramParts {
  readonly address: string
  readonly port: number
  readonly edition: Edition
  /** Is asked what is not ready. Throws nothing, and answers each question. */
  readonly respond: (message: Buffer, from: string, send: Send) => void
  readonly complain: (error: unknown) => void
  readonly logger: Logger
}

const againMs = 1_000
/** Much of it is short-lived: small, it is swept in a fraction of a millisecond. */
const youngMegabytes = 4

/** Answers names by UDP in a thread of its own. Throws when the address cannot be had. */
export async function serveDatagrams(parts: DatagramParts): Promise<AsyncDisposable> {
  const stop = new AbortController()
  let thread = await listening(parts)
  const kept = (async () => {
    while (!stop.signal.aborted) {
      const ended = await endOf(thread, stop.signal)
      if (ended === undefined) break
      parts.logger.error('the thread that answers names has ended, and is begun anew', { error: ended })
      for (;;) {
        await sleep(againMs, stop.signal)
        const next = await listening(parts).catch(parts.complain)
        if (next === undefined) continue
        thread = next
        break
      }
    }
  })().catch(parts.complain)
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await kept
      await thread.terminate()
    },
  }
}

function listening(parts: DatagramParts): Promise<Worker> {
  const { address, port, edition } = parts
  const data: ThreadData = { address, port, edition: edition.shared }
  const thread = new Worker(new URL('./datagram-thread.ts', import.meta.url), {
    workerData: data,
    resourceLimits: { maxYoungGenerationSizeMb: youngMegabytes },
  })
  return new Promise((resolve, reject) => {
    thread.once('error', reject)
    thread.once('exit', () => {
      reject(new MureError('unavailable', `names cannot be answered at ${address}`))
    })
    thread.on('message', (message: FromThread) => {
      if (message.type === 'listening') resolve(thread)
      else if (message.type === 'complaint') parts.complain(new Error(message.text))
      else answerOne(thread, message, parts)
    })
  })
}

function answerOne(
  thread: Worker,
  question: Extract<FromThread, { type: 'question' }>,
  { respond, edition }: DatagramParts,
): void {
  const { id, from, message } = question
  const before = edition.now
  respond(Buffer.from(message), from, (reply, places) => {
    const answer: ToThread = {
      id,
      reply: Uint8Array.from(reply),
      ...(places === undefined ? {} : { ready: { edition: before, places } }),
    }
    thread.postMessage(answer)
  })
}

/** Why the thread has ended; undefined: it is to end. */
function endOf(thread: Worker, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    thread.on('error', resolve)
    thread.once('exit', (code) => {
      resolve(new MureError('internal', `the thread has ended with ${String(code)}`))
    })
    if (signal.aborted) resolve(undefined)
    signal.addEventListener('abort', () => {
      resolve(undefined)
    })
  })
}
