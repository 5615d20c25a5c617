import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:tls'
import { errorText, MureError } from '#lib/errors.ts'
import { startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { ExternalCa } from '#model/cluster.ts'

/** By what a manager proves itself to an authority outside, and whom it believes. */
export interface ClientTls {
  readonly certificate: string
  readonly key: string
  readonly trust: string
}

export interface OutsideRequest {
  readonly csr: string
  /** In place of the subject that the request names. */
  readonly subject?: { readonly commonName: string; readonly organization?: string; readonly unit?: string }
  readonly hosts: readonly string[]
  /** A signing profile of the authority's configuration; the default one if absent. */
  readonly profile?: string
}

const attemptTimeoutMs = 10_000
/** A certificate is some KiB. */
const maxAnswerBytes = 1024 * 1024

/**
 * A certificate from the first of the authorities that gives one, PEM. They speak cfssl's protocol, with the subject
 * and the names that we give in place of the request's own.
 * @see swarmkit ca/external.go: the same fields
 */
export async function signOutside(
  authorities: readonly ExternalCa[],
  request: OutsideRequest,
  tls: ClientTls | undefined,
  wait: Wait,
): Promise<string> {
  const { csr, subject, hosts, profile } = request
  const body = JSON.stringify({
    hosts,
    certificate_request: csr,
    ...(subject === undefined
      ? {}
      : {
          subject: {
            CN: subject.commonName,
            names: [{ O: subject.organization ?? '', OU: subject.unit ?? '' }],
          },
        }),
    ...(profile === undefined ? {} : { profile }),
  })
  const failures: string[] = []
  for (const authority of authorities) {
    const { url } = authority
    try {
      using attempt = startWait({
        timeoutMs: attemptTimeoutMs,
        signal: wait.signal,
        what: `the external CA at ${url} to sign`,
      })
      return certificateOf(await post(authority, body, tls, attempt))
    } catch (error) {
      failures.push(`${url}: ${errorText(error)}`)
    }
  }
  throw new MureError('unavailable', `no external CA signs: ${failures.join('; ')}`)
}

/** Whether somebody answers at the authority's address, by TLS where it says so. */
export async function isReachable(
  authority: ExternalCa,
  tls: ClientTls | undefined,
  wait: Wait,
): Promise<boolean> {
  const { url } = authority
  using attempt = startWait({ timeoutMs: attemptTimeoutMs, signal: wait.signal, what: `${url} to answer` })
  try {
    const { protocol, hostname, port } = new URL(url)
    if (protocol !== 'https:') return (await post(authority, '{}', tls, attempt)) !== undefined
    await shakeHands(hostname, Number(port === '' ? 443 : port), tlsOptions(tls, authority), attempt)
    return true
  } catch {
    return false
  }
}

function shakeHands(
  host: string,
  port: number,
  tls: ReturnType<typeof tlsOptions>,
  wait: Wait,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, ...tls })
    const end = (settle: () => void) => {
      wait.signal.removeEventListener('abort', onAbort)
      socket.destroy()
      settle()
    }
    const onAbort = () => {
      end(() => {
        reject(new MureError('timeout', `${host} does not answer`))
      })
    }
    wait.signal.addEventListener('abort', onAbort, { once: true })
    socket.once('secureConnect', () => {
      end(resolve)
    })
    socket.once('error', (error: Error) => {
      end(() => {
        reject(error)
      })
    })
  })
}

/** An authority is believed by the cluster's roots and by its own. */
const tlsOptions = (tls: ClientTls | undefined, { caCertificate }: ExternalCa) => ({
  ...(tls === undefined ? {} : { cert: tls.certificate, key: tls.key }),
  ca: [tls?.trust ?? '', caCertificate ?? ''].filter((roots) => roots !== ''),
})

function post(authority: ExternalCa, body: string, tls: ClientTls | undefined, wait: Wait): Promise<unknown> {
  const { url } = authority
  const isPlain = new URL(url).protocol === 'http:'
  const options = {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    signal: wait.signal,
    agent: false as const,
  }
  return new Promise((resolve, reject) => {
    const request = isPlain
      ? httpRequest(url, options)
      : httpsRequest(url, { ...options, ...tlsOptions(tls, authority) })
    request.once('error', reject)
    request.once('response', (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > maxAnswerBytes) request.destroy(new Error('its answer is too long'))
        else chunks.push(chunk)
      })
      response.once('error', reject)
      response.once('end', () => {
        try {
          resolve(JSON.parse(Buffer.concat(chunks).toString()))
        } catch {
          reject(new Error(`it answered ${String(response.statusCode)}, with something that is no JSON`))
        }
      })
    })
    request.end(body)
  })
}

function certificateOf(answer: unknown): string {
  const { success, result, errors } = (answer ?? {}) as {
    success?: unknown
    result?: { certificate?: unknown }
    errors?: readonly { message?: unknown }[]
  }
  const certificate = result?.certificate
  if (success === true && typeof certificate === 'string') return certificate
  const said = (Array.isArray(errors) ? errors : []).map(({ message }) => String(message)).join(', ')
  throw new Error(said === '' ? 'it gave no certificate' : said)
}
