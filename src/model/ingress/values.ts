import { parseNetwork } from '../address.ts'
import type {
  HeaderToSet,
  IngressMatch,
  IngressUser,
  RateLimit,
  TaskProtocol,
  TlsSource,
  WithoutTls,
} from './declaration.ts'

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

export function readProtocol(text: string): Read<TaskProtocol> {
  const value = text.trim().toLowerCase()
  if (value === 'http' || value === 'http1' || value === '') return { value: 'http' }
  if (value === 'h2c' || value === 'grpc' || value === 'h2' || value === 'http2') return { value: 'h2c' }
  if (value === 'https') return { value: 'https' }
  return { problem: `"${shortened(text)}" is neither http, https, h2c nor grpc` }
}

export function readWithoutTls(text: string): Read<WithoutTls> {
  const value = text.trim()
  if (value === 'redirect' || value === 'serve' || value === 'refuse') return { value }
  return { problem: `"${shortened(text)}" is neither redirect, serve nor refuse` }
}

/** `10.0.0.0/8`, or an address. */
export function readNetwork(text: string): Read<string> {
  const network = text.trim()
  if (parseNetwork(network) !== undefined && /^[0-9a-fA-F.:]+(\/\d+)?$/.test(network))
    return { value: network }
  return { problem: `"${shortened(text)}" is neither an address nor a network such as 10.0.0.0/8` }
}

/** `name:hash` as `htpasswd -B` and `mkpasswd` write it. */
export function readUser(text: string): Read<IngressUser> {
  const [, name = '', hash = ''] = /^([A-Za-z0-9._@-]{1,64}):(\S+)$/.exec(text.trim()) ?? []
  if (name === '') return { problem: 'a user is written name:hash' }
  if (/^\$(2[aby]?|5|6|1|y)\$[A-Za-z0-9./$=,]+$/.test(hash))
    return { value: { name, password: hash, isHashed: true } }
  return {
    problem: `the password of ${name} is not hashed in a way that HAProxy knows: bcrypt ("htpasswd -B"), SHA-512 or SHA-256`,
  }
}

/** Nothing that ends a line or a quotation, and no reference to anything of HAProxy's. */
export function readHeader(name: string, value: string): Read<HeaderToSet> {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(name)) return { problem: `"${shortened(name)}" is not a header's name` }
  if (/^[\x20-\x26\x28-\x5b\x5d-\x7e]{0,2000}$/.test(value)) return { value: { name, value } }
  return { problem: `the value of header ${name} has letters that it cannot have` }
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
