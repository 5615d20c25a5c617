import { isIP } from 'node:net'
import { MureError } from '#lib/errors.ts'

/** Where a server listens. */
export type Host =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly address: string; readonly portNumber: number }

/** `unix:///path` or `tcp://address:port`, as Docker's `--host`. */
export function parseHost(text: string): Host {
  const path = /^unix:\/\/(\/.+)$/.exec(text)?.[1]
  if (path !== undefined) return { kind: 'unix', path }
  const tcp = /^tcp:\/\/(?:\[([^\]]+)\]|([^:/]*)):(\d{1,5})$/.exec(text)
  const portNumber = Number(tcp?.[3])
  if (tcp === null || portNumber > 65_535)
    throw new MureError('invalid', `a host is unix:///path or tcp://address:port, not "${text}"`)
  return { kind: 'tcp', address: tcp[1] ?? tcp[2] ?? '', portNumber }
}

/** Whether only this machine can reach it. */
export const isLoopback = (address: string): boolean =>
  address === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'))
