import type { IngressMatch, RateLimit, TlsSource } from './declaration.ts'

// Readers of single values. Only what they let through gets near HAProxy's configuration: no quotes, no white space,
// nothing that begins a comment or a line.

/** A value, or why the text is none. */
export type Read<T> = { readonly value: T } | { readonly problem: string }

const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?'
const hostPattern = new RegExp(`^(?:\\*\\.)?${label}(?:\\.${label})*$`)
const pathPattern = /^\/[A-Za-z0-9._~!$&()*+,;=:@%/-]*$/

export function readHost(text: string): Read<string> {
  const host = text.trim().toLowerCase().replace(/\.$/, '')
  if (host === '' || host === '*') return { value: '*' }
  if (host.length <= 253 && hostPattern.test(host)) return { value: host }
  return { problem: `"${shortened(text)}" is not a host name` }
}

export function readPath(text: string): Read<string> {
  const path = text.trim() === '' ? '/' : text.trim()
  if (path.length <= 1024 && pathPattern.test(path)) return { value: path }
  return { problem: `"${shortened(text)}" is not a path: it begins with "/" and has no spaces or quotes` }
}

export function readPort(text: string): Read<number> {
  const port = Number(text.trim())
  if (/^\d{1,5}$/.test(text.trim()) && port >= 1 && port <= 65_535) return { value: port }
  return { problem: `"${shortened(text)}" is not a port between 1 and 65535` }
}

export function readFlag(text: string): Read<boolean> {
  if (/^(1|t|true|yes|on)$/i.test(text.trim())) return { value: true }
  if (/^(0|f|false|no|off|)$/i.test(text.trim())) return { value: false }
  return { problem: `"${shortened(text)}" is neither true nor false` }
}

/** `100/s`, `600/m`, `5000/h`; a bare number is per second. */
export function readRate(text: string): Read<RateLimit> {
  const [, count = '', unit = 's'] = /^(\d{1,7})(?:\/(s|m|h))?$/.exec(text.trim()) ?? []
  const requests = Number(count)
  if (count === '' || requests === 0)
    return { problem: `"${shortened(text)}" is not a rate: write 100/s, 600/m or 5000/h` }
  return { value: { requests, perSeconds: unit === 'h' ? 3600 : unit === 'm' ? 60 : 1 } }
}

/** `true`: a certificate of the nodes' folder; `acme`; `auto`; or the name of a secret. */
export function readTls(text: string): Read<TlsSource | undefined> {
  const value = text.trim()
  if (/^(acme|auto)$/.test(value)) return { value: { from: value as 'acme' | 'auto' } }
  const flag = readFlag(value)
  if ('value' in flag) return { value: flag.value ? { from: 'folder' } : undefined }
  if (/^[a-zA-Z0-9](?:[a-zA-Z0-9-_.]{0,62}[a-zA-Z0-9])?$/.test(value))
    return { value: { from: 'secret', name: value } }
  return { problem: `"${shortened(text)}" is neither true, acme nor the name of a secret` }
}

export function readProtocol(text: string): Read<'http' | 'h2c'> {
  const value = text.trim().toLowerCase()
  if (value === 'http' || value === 'http1' || value === '') return { value: 'http' }
  if (value === 'h2c' || value === 'grpc' || value === 'h2' || value === 'http2') return { value: 'h2c' }
  return { problem: `"${shortened(text)}" is neither http, h2c nor grpc` }
}

/** Every host with every path. */
export const matchesOf = (hosts: readonly string[], paths: readonly string[]): IngressMatch[] =>
  hosts.flatMap((host) => paths.map((path) => ({ host, path })))

export const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

const shortened = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text)

/** Collects values and says where those that are none were. */
export class Reader {
  readonly problems: string[] = []

  take<T>(where: string, read: Read<T>): T | undefined {
    if ('value' in read) return read.value
    this.problems.push(`${where}: ${read.problem}`)
    return undefined
  }

  all<T>(where: string, texts: readonly string[], read: (text: string) => Read<T>): T[] {
    return texts.flatMap((text) => {
      const value = this.take(where, read(text))
      return value === undefined ? [] : [value]
    })
  }
}
