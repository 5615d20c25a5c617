/**
 * Looks at a name that is about to be made and removed, from inside a container's network namespace, and prints when it
 * was known, when the rules had it, and when it was gone, in milliseconds since 1970. Arguments: server, name.
 */
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { decode, encode } from 'dns-packet'

const [server = '', name = ''] = process.argv.slice(2)
const socket = createSocket('udp4')
const everyMs = 5
const limitMs = 30_000
let known = 0
let gone = 0
let ruled = 0

// The rules have the address of a service without tasks in a set of those that are refused.
const monitor = spawn('nft', ['monitor', 'new', 'elements'], { stdio: ['ignore', 'pipe', 'inherit'] })
monitor.stdout.on('data', (text: Buffer) => {
  if (text.includes('unserved')) ruled ||= Date.now()
})

socket.on('message', (message) => {
  const isAnswered = (decode(message).answers?.length ?? 0) > 0
  if (isAnswered) known ||= Date.now()
  else if (known > 0) {
    gone = Date.now()
    end()
  }
})

function end(): void {
  clearInterval(timer)
  clearTimeout(limit)
  monitor.kill()
  socket.close()
  process.stdout.write(JSON.stringify({ known, ruled, gone }))
}

const question = encode({ type: 'query', id: 1, flags: 256, questions: [{ type: 'A', name }] })
const timer = setInterval(() => {
  socket.send(question, 53, server)
}, everyMs)
const limit = setTimeout(end, limitMs)
