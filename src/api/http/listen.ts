import { readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { MureError, systemCode } from '#lib/errors.ts'
import { isLoopback, parseHost } from './host.ts'
import type { Host } from './host.ts'
import { firstLook } from './first-look.ts'
import type { RequestHead } from './request-head.ts'
import { claimSocketPath, restrictSocket } from './unix-socket.ts'

export interface Listener {
  /**
   * Sees the first request of a connection at a unix socket before HTTP does, and may take the connection for good;
   * `head.rest` and what follows are then its own to read. False: HTTP goes on as if nothing had been asked.
   */
  mayTake?(head: RequestHead, socket: Duplex): boolean
  /** With `Expect: 100-continue` too: whoever reads the body says first that it may come. */
  onRequest(message: IncomingMessage, response: ServerResponse): void
  /** Which wishes to leave HTTP behind are granted; the others are requests like any. */
  mayUpgrade(message: IncomingMessage): boolean
  onUpgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void
}

/** Files, so that they can be read again when they have been renewed. */
export interface ListenTls {
  readonly certificate: string
  readonly key: string
  /** Clients must show a certificate of this authority. */
  readonly ca: string | undefined
}

export interface Listening extends AsyncDisposable {
  /** Where it listens in fact: port 0 becomes a free one. */
  readonly host: Host
  /** Reads the certificates again; connections that are open keep theirs. */
  reload(): Promise<void>
}

const stopGraceMs = 2_000
const options = {
  // A body may take as long as it likes: a build's context, an image.
  requestTimeout: 0,
  headersTimeout: 30_000,
  // As dockerd: a connection that idles costs nothing, and closing it would race with the client's next request.
  keepAliveTimeout: 0,
  // Go's default. Credentials for many registries ride in one header.
  maxHeaderSize: 1024 * 1024,
  // Bodies stream with fewer stops than by Node's 64 KiB.
  highWaterMark: 512 * 1024,
}

/**
 * Listens at `unix:///path` or `tcp://address:port`. Beyond loopback TCP is served only with client certificates:
 * whoever reaches this API is root on the host. A listener that asks for a login itself, or can change nothing, is
 * spared that.
 */
export async function listen(
  text: string,
  listener: Listener,
  tls?: ListenTls,
  access: 'is for whoever connects' | 'asks for a login' | 'is read-only' = 'is for whoever connects',
): Promise<Listening> {
  const host = parseHost(text)
  const isOpen = access === 'is for whoever connects'
  if (isOpen && host.kind === 'tcp' && !isLoopback(host.address) && tls?.ca === undefined)
    throw new MureError(
      'invalid',
      `${text} needs --tlsverify with --tlscert, --tlskey and --tlscacert: without them anybody on the network would be root here`,
    )
  const shouldUpgradeCallback = (message: IncomingMessage) => listener.mayUpgrade(message)
  const secure: TlsServer | undefined =
    host.kind === 'tcp' && tls !== undefined
      ? createTlsServer({
          ...options,
          shouldUpgradeCallback,
          allowHalfOpen: true,
          minVersion: 'TLSv1.2',
          ...(await readCertificates(tls)),
          ...(tls.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: true }),
        })
      : undefined
  const server: Server | TlsServer = secure ?? createServer({ ...options, shouldUpgradeCallback })
  const onRequest = (message: IncomingMessage, response: ServerResponse) => {
    listener.onRequest(message, response)
  }
  server.on('request', onRequest)
  server.on('checkContinue', onRequest)
  server.on('upgrade', (message, socket, head) => {
    listener.onUpgrade(message, socket, head)
  })
  server.on('clientError', refuseMalformed)
  const sockets = trackSockets(server, secure === undefined ? 'connection' : 'secureConnection')
  const unheard = host.kind === 'unix' ? firstLook(server, listener) : new Set<Socket>()
  if (host.kind === 'unix') {
    await claimSocketPath(host.path)
    await bind(server, () => server.listen(host.path), text)
    await restrictSocket(host.path)
  } else await bind(server, () => server.listen(host.portNumber, host.address || undefined), text)
  const bound = server.address()
  return {
    host:
      host.kind === 'tcp' && typeof bound === 'object' && bound !== null
        ? { ...host, portNumber: bound.port }
        : host,
    async reload() {
      if (secure !== undefined && tls !== undefined) secure.setSecureContext(await readCertificates(tls))
    },
    async [Symbol.asyncDispose]() {
      const closed = close(server, sockets)
      for (const socket of unheard) socket.destroy()
      await closed
      if (host.kind === 'unix') await rm(host.path, { force: true })
    },
  }
}

async function readCertificates(tls: ListenTls): Promise<{ cert: Buffer; key: Buffer; ca?: Buffer }> {
  return {
    cert: await readFile(tls.certificate),
    key: await readFile(tls.key),
    ...(tls.ca === undefined ? {} : { ca: await readFile(tls.ca) }),
  }
}

/** The sentences of Go's server, which dockerd's clients meet otherwise. */
function refuseMalformed(error: Error, socket: Duplex): void {
  if (!socket.writable || systemCode(error) === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const status =
    systemCode(error) === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${status}`,
  )
}

function trackSockets(server: Server | TlsServer, event: 'connection' | 'secureConnection'): Set<Socket> {
  const sockets = new Set<Socket>()
  server.on(event, (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return sockets
}

/** Requests under way get a moment to end; streams that never end are cut. */
async function close(server: Server | TlsServer, sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve()
    })
  })
  server.closeIdleConnections()
  const timer = setTimeout(() => {
    server.closeAllConnections()
    for (const socket of sockets) socket.destroy()
  }, stopGraceMs)
  await closed
  clearTimeout(timer)
}

function bind(server: Server | TlsServer, start: () => void, where: string): Promise<void> {
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
