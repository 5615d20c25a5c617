import type { IncomingMessage } from 'node:http'
import { randomBytes } from 'node:crypto'
import { MureError } from '#lib/errors.ts'
import { csrfOf, isSameSecret, sign, verify } from '#security/grant.ts'
import type { Grant } from '#security/grant.ts'
import type { Role } from '../wire.ts'
import { Guesses } from './guesses.ts'

/** A day's work; a token that ends sooner ends its sessions too. */
const sessionMs = 12 * 3_600_000
const cookieName = 'mure_session'

export interface AccessParts {
  /** The cluster's key for what browsers are given; the same on every manager. */
  readonly key: () => Promise<Buffer>
  readonly now: () => number
  readonly isSecure: boolean
}

export interface Admitted {
  readonly session: Grant
  readonly csrf: string
}

/** Who may see and do what. */
export class Access {
  readonly #parts: AccessParts
  readonly #guesses: Guesses

  constructor(parts: AccessParts) {
    this.#parts = parts
    this.#guesses = new Guesses(parts.now)
  }

  /** A new session for the bearer of a token. `exhausted`: this address has guessed too often; `unauthenticated`: wrong. */
  async login(token: string, address: string): Promise<Admitted & { readonly cookie: string }> {
    const waitMs = this.#guesses.waitMs(address)
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1_000)
      throw new MureError('exhausted', `too many wrong tokens: try again in ${String(seconds)} s`, {
        details: { status: 429, retryAfter: seconds },
      })
    }
    const key = await this.#parts.key()
    const now = this.#parts.now()
    const granted = verify(key, 'token', token.trim(), now)
    if (granted === undefined) {
      this.#guesses.wrong(address)
      throw new MureError('unauthenticated', 'this token is wrong, or its time is over')
    }
    this.#guesses.right(address)
    const session: Grant = {
      role: granted.role,
      expiresAt: Math.min(granted.expiresAt, now + sessionMs),
      id: randomBytes(16).toString('base64url'),
    }
    const maxAge = Math.floor((session.expiresAt - now) / 1_000)
    return {
      session,
      csrf: csrfOf(key, session),
      cookie: this.#cookie(sign(key, 'session', session), maxAge),
    }
  }

  /** The cookie that ends a session in the browser. */
  get farewell(): string {
    return this.#cookie('', 0)
  }

  /** Who asks. `unauthenticated` for anybody without a session; a call that changes something shows its CSRF token too. */
  async admit(message: IncomingMessage): Promise<Admitted> {
    const key = await this.#parts.key()
    const cookie = cookieOf(message.headers.cookie ?? '')
    const session = cookie === undefined ? undefined : verify(key, 'session', cookie, this.#parts.now())
    if (session === undefined) throw new MureError('unauthenticated', 'log in first')
    const csrf = csrfOf(key, session)
    if (message.method !== 'GET' && message.method !== 'HEAD') refuseForeign(message, csrf)
    return { session, csrf }
  }

  #cookie(value: string, maxAge: number): string {
    const secure = this.#parts.isSecure ? '; Secure' : ''
    return `${cookieName}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${String(maxAge)}${secure}`
  }
}

/** `forbidden` for a session that may only look. */
export function requireRole(admitted: Admitted, role: Role): void {
  if (role === 'admin' && admitted.session.role !== 'admin')
    throw new MureError('forbidden', 'this session may only look: log in with an admin token')
}

/** Another site can make a browser send a request, but not with this header, and not as of our own origin. */
function refuseForeign(message: IncomingMessage, csrf: string): void {
  const given = message.headers['x-mure-csrf']
  const site = message.headers['sec-fetch-site']
  const isForeign = site !== undefined && site !== 'same-origin'
  if (isForeign || typeof given !== 'string' || !isSameSecret(given, csrf))
    throw new MureError('forbidden', 'the request does not come from the dashboard page')
}

/** Before there is a session, a login is refused to other sites by what browsers say of themselves. */
export function refuseCrossSite(message: IncomingMessage): void {
  const site = message.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw new MureError('forbidden', 'the request does not come from the dashboard page')
}

function cookieOf(header: string): string | undefined {
  for (const part of header.split(';')) {
    const [name, ...value] = part.trim().split('=')
    if (name === cookieName) return value.join('=')
  }
  return undefined
}
