import { isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import type { Instant } from '#lib/clock.ts'
import { errorText, isMureError, MureError, systemCode } from '#lib/errors.ts'
import type { Wait } from '#lib/wait.ts'
import type { NodeRole } from '#model/node.ts'
import { certificateFacts, verifyCertificate } from '#security/certificate.ts'
import { minVersion, noAuthorities } from './http2-settings.ts'
import { connectTcp } from './tcp.ts'
import type { Identity } from './transport.ts'

/** A TLS connection on which HTTP/2 was agreed. Whose it is has not been looked at yet. */
export async function dial(
  address: string,
  identity: Pick<Identity, 'certificate' | 'key'> | undefined,
  wait: Wait,
): Promise<TLSSocket> {
  wait.check()
  const target = parseAddress(address)
  const connection = await connectTcp(target, wait.signal).catch((error: unknown) => {
    throw failure(address, wait, error)
  })
  const socket = connectTls({
    socket: connection,
    ...(isIP(target.host) === 0 ? { servername: target.host } : {}),
    ALPNProtocols: ['h2'],
    minVersion,
    ca: noAuthorities,
    // We judge by the role in the certificate, not by a host's name: see `verifyServer`.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key }),
  })
  socket.setNoDelay(true)
  try {
    await secured(address, socket, wait)
  } catch (error) {
    socket.destroy()
    throw error
  }
  // From here on whoever uses the socket hears of its end; an 'error' must only not be unheard.
  socket.on('error', () => undefined)
  if (socket.alpnProtocol === 'h2') return socket
  socket.destroy()
  throw new MureError('unavailable', `${address} is not a Mure manager: it does not speak HTTP/2`)
}

function secured(address: string, socket: TLSSocket, wait: Wait): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      wait.signal.removeEventListener('abort', onAbort)
      socket.off('secureConnect', onSecure).off('error', onError)
      socket.on('error', () => undefined)
      act()
    }
    const onSecure = () => {
      settle(resolve)
    }
    const onError = (error: Error) => {
      settle(() => {
        reject(failure(address, wait, error))
      })
    }
    const onAbort = () => {
      settle(() => {
        reject(failure(address, wait, wait.signal.reason))
      })
    }
    wait.signal.addEventListener('abort', onAbort, { once: true })
    socket.once('secureConnect', onSecure).once('error', onError)
  })
}

function parseAddress(address: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host === undefined || port < 1 || port > 65_535)
    throw new MureError('invalid', `"${address}" is not an address: HOST:PORT is expected`)
  return { host, port }
}

const unanswered = (address: string) =>
  `${address} does not answer: check the address, and that no firewall is between`
const closed = (address: string) => `${address} closed the connection: is it a manager?`

const explanations: Readonly<Record<string, (address: string) => string>> = {
  ECONNREFUSED: (address) => `nothing listens at ${address}: is it a manager, and is its daemon running?`,
  ECONNRESET: closed,
  EPIPE: closed,
  ENOTFOUND: (address) => `the host name in ${address} is not known`,
  EAI_AGAIN: (address) => `the host name in ${address} cannot be looked up now`,
  EHOSTUNREACH: (address) => `there is no way to ${address}: is the host up?`,
  ENETUNREACH: (address) => `there is no way to ${address} from this host`,
  ETIMEDOUT: unanswered,
}

/** Why there is no connection: the wait is over, or what the error says. */
function failure(address: string, wait: Wait, error: unknown): MureError {
  if (!wait.signal.aborted) return connectionError(address, error)
  const reason: unknown = wait.signal.reason
  return isMureError(reason, 'timeout')
    ? new MureError('unavailable', unanswered(address), { cause: reason })
    : new MureError('cancelled', `stopped connecting to ${address}`, { cause: reason })
}

function connectionError(address: string, error: unknown): MureError {
  const code = systemCode(error) ?? ''
  const speaksNoTls = code.startsWith('ERR_SSL') || code === 'EPROTO'
  const text = speaksNoTls
    ? `${address} is not a Mure manager: it does not speak TLS 1.3`
    : (explanations[code]?.(address) ?? `${address} cannot be reached: ${errorText(error)}`)
  return new MureError('unavailable', text, { cause: error })
}

/**
 * Throws `unauthenticated` unless the certificate that the server has shown is that of such a node of our cluster.
 * One that has expired is refused too, unless our own has: then both were off for long, and all that we can do there
 * is to renew.
 */
export function verifyServer(
  address: string,
  socket: TLSSocket,
  by: {
    readonly trust: string
    readonly identity: Pick<Identity, 'certificate'> | undefined
    readonly role: NodeRole | 'any'
    readonly now: Instant
  },
): void {
  const refused = (reason: string) => new MureError('unauthenticated', `${address} is refused: ${reason}`)
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) throw refused('it shows no certificate')
  const verified = verifyCertificate(certificate, by.trust, by.now)
  if (!verified.ok) throw refused(verified.reason)
  const server = certificateFacts(certificate)
  const own = by.identity === undefined ? undefined : certificateFacts(by.identity.certificate)
  if (own !== undefined && own.clusterId !== server.clusterId) throw refused('it is of another cluster')
  if (server.role === undefined || (by.role !== 'any' && server.role !== by.role))
    throw refused(by.role === 'manager' ? 'it is not a manager' : `it is not a ${by.role}`)
  if (verified.expired && (own === undefined || by.now <= own.notAfter))
    throw refused(
      `its certificate was valid until ${new Date(server.notAfter).toISOString()}, and it is ${new Date(by.now).toISOString()} here: renew it, or set the clocks right`,
    )
}
