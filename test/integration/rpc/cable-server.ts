// A manager in a process of its own, for `cable.test.ts`: tells its parent when a stream is over.
import { once } from 'node:events'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { startRpcServer } from '#rpc/server.ts'
import type { Identity } from '#rpc/transport.ts'

const say = (event: object) => process.send?.({ at: Date.now(), ...event })

const [identity] = (await once(process, 'message')) as [Identity]
const server = await startRpcServer({
  host: '0.0.0.0',
  port: 0,
  identity,
  clusterId: 'cluster',
  clock: systemClock,
  logger: silentLogger,
})
server.stream('/idle', 'node', async (stream) => {
  await once(stream.signal, 'abort')
  say({ over: '/idle' })
})
server.stream<number, number>('/echo', 'node', async (stream) => {
  for await (const n of stream) stream.send(n)
})
server.raw('/flow/', 'node', async (_rest, bytes) => {
  bytes.resume()
  const block = Buffer.alloc(64 * 1024)
  while (!bytes.destroyed) {
    if (!bytes.write(block))
      await Promise.race([once(bytes, 'drain'), once(bytes, 'close')]).catch(() => undefined)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  say({ over: '/flow' })
})
say({ port: server.port })
process.once('disconnect', () => process.exit(0))
