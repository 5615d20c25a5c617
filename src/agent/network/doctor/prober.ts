import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

// A program of its own: it lives in a network namespace that is made for it, and that is gone with it. It answers its
// peers, and on order sends to each a small packet and one as large as may be. Lines of JSON on stdin and stdout.

interface Order {
  readonly address: string
  readonly port: number
  readonly peers: readonly { readonly key: string; readonly address: string }[]
  readonly largestBytes: number
}

const attempts = 3
const attemptMs = 700
/** The first byte: a question, or the answer to one. */
const question = 1
const reply = 2

const say = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`)
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

say({ started: process.pid })
const first = await lines.next()
if (first.done !== true) await serve(JSON.parse(first.value) as Order)

async function serve(order: Order): Promise<void> {
  const socket = createSocket('udp4')
  const waiting = new Map<number, () => void>()
  socket.on('message', (message, from) => {
    if (message.length < 5) return
    if (message[0] === question) {
      const answer = Buffer.from(message)
      answer[0] = reply
      socket.send(answer, from.port, from.address, () => undefined)
    } else waiting.get(message.readUInt32BE(1))?.()
  })
  socket.on('error', () => undefined)
  socket.bind(order.port, order.address)
  await once(socket, 'listening')
  let number = 0
  const ask = (address: string, bytes: number): Promise<number | undefined> =>
    new Promise((resolve) => {
      const id = ++number
      const message = Buffer.alloc(Math.max(5, bytes))
      message[0] = question
      message.writeUInt32BE(id, 1)
      const started = performance.now()
      const end = (took: number | undefined) => {
        clearTimeout(timer)
        waiting.delete(id)
        resolve(took)
      }
      const timer = setTimeout(() => {
        end(undefined)
      }, attemptMs)
      waiting.set(id, () => {
        end(performance.now() - started)
      })
      socket.send(message, order.port, address, () => undefined)
    })
  const tryTo = async (address: string, bytes: number): Promise<number | undefined> => {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const took = await ask(address, bytes)
      if (took !== undefined) return took
    }
    return undefined
  }
  say({ ready: true })
  for (let next = await lines.next(); next.done !== true; next = await lines.next())
    say({
      results: await Promise.all(
        order.peers.map(async ({ key, address }) => {
          const roundTripMs = await tryTo(address, 5)
          const large = roundTripMs === undefined ? undefined : await tryTo(address, order.largestBytes)
          return {
            key,
            isReached: roundTripMs !== undefined,
            isWhole: large !== undefined,
            ...(roundTripMs === undefined ? {} : { roundTripMs: Math.round(roundTripMs * 100) / 100 }),
          }
        }),
      ),
    })
  socket.close()
}
