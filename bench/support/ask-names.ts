/**
 * Asks a name server by UDP and prints what it saw as JSON. Run inside a container's network namespace.
 * Arguments: server, name, seconds, questions under way, questions a second (0: as many as go).
 */
import { createSocket } from 'node:dgram'
import { encode } from 'dns-packet'

const [server = '', name = '', seconds = '3', depth = '64', rate = '0'] = process.argv.slice(2)
const socket = createSocket('udp4')
const sentAt = new Map<number, number>()
const tookMs: number[] = []
const began = performance.now()
const until = began + Number(seconds) * 1000
let id = 0
let asked = 0

function ask(): void {
  id = (id + 1) % 65_536
  asked += 1
  sentAt.set(id, performance.now())
  socket.send(encode({ type: 'query', id, flags: 256, questions: [{ type: 'A', name }] }), 53, server)
}

function fill(): void {
  const now = performance.now()
  if (now > until) {
    end()
    return
  }
  // What is lost is not waited for.
  for (const [key, at] of sentAt) if (now - at > 500) sentAt.delete(key)
  const due = Number(rate) === 0 ? Infinity : ((now - began) / 1000) * Number(rate) - asked
  for (let count = 0; sentAt.size < Number(depth) && count < due; count++) ask()
}

function end(): void {
  clearInterval(timer)
  socket.close()
  tookMs.sort((a, b) => a - b)
  const at = (share: number) => tookMs[Math.floor(tookMs.length * share)] ?? Number.NaN
  const perSecond = tookMs.length / ((performance.now() - began) / 1000)
  process.stdout.write(JSON.stringify({ perSecond, median: at(0.5), p99: at(0.99) }))
}

socket.on('message', (message) => {
  const key = message.readUInt16BE(0)
  const at = sentAt.get(key)
  if (at === undefined) return
  sentAt.delete(key)
  tookMs.push(performance.now() - at)
  fill()
})
const timer = setInterval(fill, 1)
