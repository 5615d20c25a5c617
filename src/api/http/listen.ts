import { chmod, chown, mkdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { dirname } from 'node:path'
import type { Duplex } from 'node:stream'
import { MureError } from '#lib/errors.ts'

export interface Listener {
  onRequest(request: IncomingMessage, response: ServerResponse): void
  onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

export interface ListenTls {
  readonly certificate: string
  readonly key: string
  /** Clients must show a certificate of this authority. */
  readonly ca: string | undefined
}

const stopGraceMs = 2_000

/**
 * Listens at `unix:///path` or `tcp://address:port`. Beyond loopback TCP is served only with client certificates:
 * whoever reaches this API is root on the host.
 */
export async function listen(
  host: string,
  listener: Listener,
  tls: ListenTls | undefined,
): Promise<AsyncDisposable> {
  const unix = /^unix:\/\/(.+)$/.exec(host)?.[1]
  const tcp = /^tcp:\/\/(?:\[([^\]]+)\]|([^:]*)):(\d+)$/.exec(host)
  if (unix === undefined && tcp === null)
    throw new MureError('invalid', `a host is unix:///path or tcp://address:port, not "${host}"`)
  const options = { requestTimeout: 0, headersTimeout: 30_000, keepAliveTimeout: 75_000 }
  const secure = tcp !== null && tls !== undefined
  const server = secure
    ? createTlsServer({
        ...options,
        cert: await readFile(tls.certificate),
        key: await readFile(tls.key),
        minVersion: 'TLSv1.2',
        ...(tls.ca === undefined
          ? {}
          : { ca: await readFile(tls.ca), requestCert: true, rejectUnauthorized: true }),
      })
    : createServer(options)
  server.on('request', (request, response) => {
    listener.onRequest(request, response)
  })
  server.on('upgrade', (request, socket, head) => {
    listener.onUpgrade(request, socket, head)
  })
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
  })
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  if (unix !== undefined) await listenUnix(server, unix)
  else {
    const address = tcp?.[1] ?? tcp?.[2] ?? ''
    if (!secure && !isLoopback(address))
      throw new MureError(
        'invalid',
        `${host} needs --tlscert, --tlskey and --tlscacert: without them anybody on the network would be root here`,
      )
    await bind(server, () => server.listen(Number(tcp?.[3]), address), host)
  }
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve()
        })
      })
      server.closeIdleConnections()
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, stopGraceMs)
      await closed
      clearTimeout(timer)
      if (unix !== undefined) await rm(unix, { force: true })
    },
  }
}

const isLoopback = (address: string): boolean =>
  address === 'localhost' || address === '::1' || address.startsWith('127.')

async function listenUnix(server: Server, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  if (await answers(path)) throw new MureError('precondition', `another daemon already listens at ${path}`)
  await rm(path, { force: true })
  await bind(server, () => server.listen(path), path)
  await chmod(path, 0o660)
  const group = await dockerGroup()
  if (group !== undefined) await chown(path, 0, group)
}

function bind(server: Server, start: () => void, where: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error) => {
      reject(new MureError('unavailable', `cannot listen at ${where}: ${error.message}`, { cause: error }))
    }
    server.once('error', onError)
    server.once('listening', () => {
      server.removeListener('error', onError)
      resolve()
    })
    start()
  })
}

/** Whether somebody listens there: a socket file may be left from a daemon that was killed. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => {
      resolve(false)
    })
  })
}

async function dockerGroup(): Promise<number | undefined> {
  const text = await readFile('/etc/group', 'utf8').catch(() => '')
  const line = text.split('\n').find((entry) => entry.startsWith('docker:'))
  return line === undefined ? undefined : Number(line.split(':')[2])
}
