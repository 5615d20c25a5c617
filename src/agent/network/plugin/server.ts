import { once } from 'node:events'
import { mkdir, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { dirname } from 'node:path'
import { errorText } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { readText } from '#engine/transport.ts'
import type { CreateEndpoint, CreateNetwork, EndpointOf, Join, NetworkDriver } from './protocol.ts'

type Handler = (call: unknown) => Promise<object>

const nothing = {}

/** Serves a driver to the engine, which finds it by the name of its socket. */
export async function servePlugin(
  socketPath: string,
  driver: NetworkDriver,
  logger: Logger,
): Promise<AsyncDisposable> {
  const calls: Readonly<Record<string, Handler>> = {
    '/Plugin.Activate': async () => ({ Implements: ['NetworkDriver'] }),
    '/NetworkDriver.GetCapabilities': async () => ({ Scope: 'local', ConnectivityScope: 'local' }),
    '/NetworkDriver.CreateNetwork': (call) => driver.createNetwork(call as CreateNetwork).then(() => nothing),
    '/NetworkDriver.DeleteNetwork': (call) =>
      driver.deleteNetwork((call as EndpointOf).NetworkID).then(() => nothing),
    '/NetworkDriver.CreateEndpoint': async (call) => {
      const { macAddress } = await driver.createEndpoint(call as CreateEndpoint)
      return macAddress === undefined ? nothing : { Interface: { MacAddress: macAddress } }
    },
    '/NetworkDriver.DeleteEndpoint': (call) => driver.deleteEndpoint(call as EndpointOf).then(() => nothing),
    '/NetworkDriver.EndpointOperInfo': async () => ({ Value: {} }),
    '/NetworkDriver.Join': (call) => driver.join(call as Join),
    '/NetworkDriver.Leave': (call) => driver.leave(call as EndpointOf).then(() => nothing),
  }
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    let body: object = nothing
    let status = 200
    try {
      const text = await readText(request)
      const handler = calls[request.url ?? '']
      // Calls for what we do not do (discovery, ports of the host) want an empty answer.
      if (handler !== undefined) body = await handler(text === '' ? {} : JSON.parse(text))
    } catch (error) {
      logger.warn('the engine was refused', { call: request.url, error })
      status = 500
      body = { Err: errorText(error) }
    }
    response.writeHead(status, { 'Content-Type': 'application/vnd.docker.plugins.v1.2+json' })
    response.end(JSON.stringify(body))
  }
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  await mkdir(dirname(socketPath), { recursive: true })
  await rm(socketPath, { force: true })
  server.listen(socketPath)
  await once(server, 'listening')
  return {
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
      await rm(socketPath, { force: true })
    },
  }
}
