import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { isIP, isIPv4 } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'
import { MureError } from '#lib/errors.ts'

export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>

export const defaultClusterPort = 2377

export interface HostAndPort {
  readonly host: string
  readonly port: number
}

/** `host:port`, with brackets around an IPv6 address. */
export const joinHostPort = ({ host, port }: HostAndPort): string =>
  host.includes(':') ? `[${host}]:${String(port)}` : `${host}:${String(port)}`

/** The parts of `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address. */
export function splitHostPort(text: string, defaultPort: number): HostAndPort | undefined {
  if (isIP(text) !== 0) return { host: text, port: defaultPort }
  const match = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text)
  if (match === null) return undefined
  const host = match[1] ?? match[2] ?? ''
  const port = match[3] === undefined ? defaultPort : Number(match[3])
  return port > 65_535 ? undefined : { host, port }
}

/**
 * Where the cluster RPC listens: an address or the name of an interface, with an optional port.
 * Error texts follow Docker's, since people search for them.
 */
export function resolveListenAddress(text: string, interfaces: Interfaces): HostAndPort {
  const split = splitHostPort(text === '' ? '0.0.0.0' : text, defaultClusterPort)
  if (split === undefined || split.host === '') throw badListen(text)
  if (isIP(split.host) !== 0) return split
  return { host: addressOfInterface(split.host, interfaces) ?? fail(badListen(text)), port: split.port }
}

/**
 * The address other nodes are told. Without one it is the listen address, or, where that is "all of them", the
 * host's only address.
 */
export function resolveAdvertiseAddress(
  text: string,
  listen: HostAndPort,
  interfaces: Interfaces,
): HostAndPort {
  if (text !== '') {
    const split = splitHostPort(text, listen.port)
    if (split === undefined || split.host === '') throw badAdvertise(text)
    if (isIP(split.host) !== 0) {
      if (isUnspecified(split.host)) throw badAdvertise(text)
      return split
    }
    return { host: addressOfInterface(split.host, interfaces) ?? fail(badAdvertise(text)), port: split.port }
  }
  if (!isUnspecified(listen.host)) return listen
  return { host: systemAddress(interfaces), port: listen.port }
}

/** The data plane's address: like the advertised one, but without a port; '' when none was asked for. */
export function resolveDataPathAddress(text: string, interfaces: Interfaces): string {
  if (text === '') return ''
  if (isIP(text) !== 0 && !isUnspecified(text)) return text
  const ofInterface = isIP(text) === 0 ? addressOfInterface(text, interfaces) : undefined
  if (ofInterface !== undefined) return ofInterface
  throw new MureError(
    'invalid',
    'data path address must be a non-zero IP address or network interface (without a port number)',
  )
}

const isUnspecified = (host: string): boolean => host === '0.0.0.0' || host === '::'

const badListen = (text: string) =>
  new MureError(
    'invalid',
    `listen address must be an IP address or network interface (with optional port number): "${text}"`,
  )

const badAdvertise = (text: string) =>
  new MureError(
    'invalid',
    `advertise address must be a non-zero IP address or network interface (with optional port number): "${text}"`,
  )

function fail(error: MureError): never {
  throw error
}

/** The interface's only IPv4 address, or its only global IPv6 one; undefined when there is no such interface. */
function addressOfInterface(name: string, interfaces: Interfaces): string | undefined {
  const addresses = interfaces[name]
  if (addresses === undefined) return undefined
  for (const family of ['IPv4', 'IPv6'] as const) {
    const found = addresses.filter((address) => address.family === family && !isLinkLocal(address.address))
    if (found.length > 1) {
      throw new MureError(
        'invalid',
        `interface ${name} has more than one ${family} address (${found[0]?.address ?? ''} and ${found[1]?.address ?? ''})`,
      )
    }
    if (found[0] !== undefined) return found[0].address
  }
  throw new MureError('invalid', `interface ${name} has no usable IPv4 or IPv6 address`)
}

/** Bridges of container engines carry addresses that no other host can reach. */
const isContainerBridge = (name: string): boolean => /^(docker|br-|veth|docker_gwbridge|mure)/.test(name)

function systemAddress(interfaces: Interfaces): string {
  const found: { name: string; address: string }[] = []
  for (const [name, addresses] of Object.entries(interfaces)) {
    if (isContainerBridge(name)) continue
    for (const { address, internal } of addresses ?? [])
      if (!internal && isIPv4(address) && !isLinkLocal(address)) found.push({ name, address })
  }
  const [first, second] = found
  if (first === undefined) {
    throw new MureError('invalid', "could not find the system's IP address")
  }
  if (second === undefined) return first.address
  const where =
    first.name === second.name
      ? `on interface ${first.name} (${first.address} and ${second.address})`
      : `on different interfaces (${first.address} on ${first.name} and ${second.address} on ${second.name})`
  throw new MureError(
    'invalid',
    `could not choose an IP address to advertise since this system has multiple addresses ${where}`,
  )
}

/** Where others reach a host that joins and says nothing of it: the address by which it reaches them. */
export async function ownAddressToward(remote: string, listen: HostAndPort): Promise<string> {
  if (!isUnspecified(listen.host)) return joinHostPort(listen)
  const to = splitHostPort(remote, defaultClusterPort)
  const { address: peer, family } = await lookup(to?.host ?? '')
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
  try {
    // Connecting a UDP socket sends nothing; it only chooses a route.
    const connected = once(socket, 'connect')
    socket.connect(to?.port ?? defaultClusterPort, peer)
    await connected
    return joinHostPort({ host: socket.address().address, port: listen.port })
  } finally {
    socket.close()
  }
}

/** Where a first manager listens, is reached, and has its data plane, each resolved from what was asked for. */
export function resolveOwnAddresses(
  wish: {
    readonly listenAddress: string
    readonly advertiseAddress: string
    readonly dataPathAddress: string
  },
  interfaces: Interfaces,
): { listenAddress: string; advertiseAddress: string; dataPathAddress: string } {
  const listen = resolveListenAddress(wish.listenAddress, interfaces)
  return {
    listenAddress: joinHostPort(listen),
    advertiseAddress: joinHostPort(resolveAdvertiseAddress(wish.advertiseAddress, listen, interfaces)),
    dataPathAddress: resolveDataPathAddress(wish.dataPathAddress, interfaces),
  }
}

/** The interface that has the address (host:port) now. */
export function interfaceOf(address: string, interfaces: Interfaces): string | undefined {
  const host = splitHostPort(address, defaultClusterPort)?.host
  for (const [name, addresses] of Object.entries(interfaces))
    if (addresses?.some((one) => one.address === host) === true) return name
  return undefined
}

/** What takes the place of `address` (host:port) now that the interface has other addresses; undefined: nothing does. */
export function movedAddress(address: string, name: string, interfaces: Interfaces): string | undefined {
  if (interfaceOf(address, interfaces) !== undefined || interfaces[name] === undefined) return undefined
  const port = splitHostPort(address, defaultClusterPort)?.port ?? defaultClusterPort
  try {
    const host = addressOfInterface(name, interfaces)
    return host === undefined ? undefined : joinHostPort({ host, port })
  } catch {
    // None, or several: nobody can tell which is meant.
    return undefined
  }
}

/** Of `host:port`. */
export const isLoopback = (address: string): boolean =>
  /^(?:127\.|::1$)/.test(splitHostPort(address, defaultClusterPort)?.host ?? '')

const isLinkLocal = (address: string): boolean => address.startsWith('169.254.') || address.startsWith('fe80')
