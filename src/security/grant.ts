import { createHmac, timingSafeEqual } from 'node:crypto'

/** Who may only look, and who may act. */
export type AccessRole = 'read-only' | 'admin'

/** What a token of the dashboard, or a session, says of its bearer. */
export interface Grant {
  readonly role: AccessRole
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  /** Tells grants of the same kind apart. */
  readonly id: string
}

export type GrantKind = 'token' | 'session'

/** Longer texts are nobody's token. */
const mostCharacters = 512

/**
 * A grant and its signature: any manager that has the key can tell that it is genuine, and none has to remember it.
 * The kind is signed along, so that a token is no session and a session no token.
 */
export function sign(key: Buffer, kind: GrantKind, grant: Grant): string {
  const body = Buffer.from(JSON.stringify([grant.role, grant.expiresAt, grant.id])).toString('base64url')
  return `${body}.${signature(key, kind, body).toString('base64url')}`
}

/** The grant, if it was signed with this key and is not over; compared in constant time. */
export function verify(key: Buffer, kind: GrantKind, text: string, now: number): Grant | undefined {
  const [body, mac, ...rest] = text.slice(0, mostCharacters).split('.')
  if (body === undefined || mac === undefined || rest.length > 0) return undefined
  const given = Buffer.from(mac, 'base64url')
  const expected = signature(key, kind, body)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
  const grant = parse(body)
  return grant === undefined || grant.expiresAt <= now ? undefined : grant
}

/** What a page sends back in a header, so that no other site can act in its name; bound to the session. */
export const csrfOf = (key: Buffer, session: Grant): string =>
  signature(key, 'csrf', session.id).toString('base64url')

export function isSameSecret(given: string, expected: string): boolean {
  const a = Buffer.from(given)
  const b = Buffer.from(expected)
  return a.length === b.length && timingSafeEqual(a, b)
}

const signature = (key: Buffer, kind: GrantKind | 'csrf', body: string): Buffer =>
  createHmac('sha256', key).update(`mure-dashboard-${kind}\n${body}`).digest()

function parse(body: string): Grant | undefined {
  // It was signed by us, so it is JSON.
  const fields = JSON.parse(Buffer.from(body, 'base64url').toString()) as unknown
  if (!Array.isArray(fields)) return undefined
  const [role, expiresAt, id] = fields as unknown[]
  if ((role !== 'admin' && role !== 'read-only') || typeof expiresAt !== 'number' || typeof id !== 'string')
    return undefined
  return { role, expiresAt, id }
}
