import { connect, createServer } from 'node:net'
import { once } from 'node:events'
import { MureError, systemCode } from '#lib/errors.ts'
import type { Wait } from '#lib/wait.ts'
import { abortable } from '#lib/wait.ts'

/**
 * One at a time over all processes of this machine. An abstract socket is the lock: the kernel frees it however its
 * holder ends, and whoever waits is woken by the end of a connection to it.
 */
export async function holdLock(name: string, wait: Wait, onWait: () => void): Promise<AsyncDisposable> {
  const path = `\0mure-lab/${name}`
  for (let attempt = 0; ; attempt++) {
    wait.check()
    const held = await tryListen(path)
    if (held !== undefined) return held
    if (attempt === 0) onWait()
    wait.note(`another command that holds the lock "${name}"`)
    await abortable(untilFree(path), wait.signal)
  }
}

/** One command at a time on a lab. */
export function lockLab(lab: string, wait: Wait, say: (text: string) => void): Promise<AsyncDisposable> {
  return holdLock(lab, wait, () => {
    say(`waiting for another command on lab "${lab}"`)
  })
}

async function tryListen(path: string): Promise<AsyncDisposable | undefined> {
  // Held connections are what wakes the others: they end with the server's process, or when it lets go.
  const waiting = new Set<{ destroy(): unknown }>()
  const server = createServer((socket) => {
    waiting.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => waiting.delete(socket))
  })
  server.listen(path)
  try {
    await once(server, 'listening')
  } catch (error) {
    if (systemCode(error) === 'EADDRINUSE') return undefined
    throw new MureError('internal', `the lock ${path.slice(1)} cannot be taken`, { cause: error })
  }
  return {
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of waiting) socket.destroy()
      await closed
    },
  }
}

async function untilFree(path: string): Promise<void> {
  const socket = connect(path)
  // Refused: it has just become free.
  socket.on('error', () => undefined)
  socket.resume()
  await new Promise<void>((resolve) =>
    socket.once('close', () => {
      resolve()
    }),
  )
}
