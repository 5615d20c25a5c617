import { createSocket } from 'node:dgram'
import { readFile } from 'node:fs/promises'
import { MureError } from '#lib/errors.ts'

const timeoutMs = 1_500

/** The host's own name servers, read for each question: they change with the host's networks. */
async function servers(): Promise<string[]> {
  const text = await readFile('/etc/resolv.conf', 'utf8').catch(() => '')
  return [...text.matchAll(/^nameserver\s+(\S+)/gm)].flatMap((match) => match[1] ?? [])
}

/** Asks the host's name servers, one after the other. `unavailable`: there is none, or none answers. */
export async function askUpstream(query: Buffer): Promise<Buffer> {
  for (const server of await servers()) {
    const answer = await askOne(server, query).catch(() => undefined)
    if (answer !== undefined) return answer
  }
  throw new MureError('unavailable', 'no name server of this host answers')
}

function askOne(server: string, query: Buffer): Promise<Buffer> {
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
      // Of another question, or of nobody we asked.
      if (message.length < 2 || message.readUInt16BE(0) !== query.readUInt16BE(0)) return
      end(() => {
        resolve(message)
      })
    })
    socket.connect(53, server, () => {
      socket.send(query)
    })
  })
}
