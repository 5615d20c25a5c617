/**
 * Windows wide enough that one stream fills a fast link over some distance (4 MiB per round trip: 3 Gbit/s at 10 ms),
 * and room for several streams beside it.
 */
export const settings = {
  initialWindowSize: 4 * 1024 * 1024,
  maxConcurrentStreams: 10_000,
  enablePush: false,
} as const

export const connectionWindowBytes = 16 * 1024 * 1024

/**
 * MiB that all streams of one connection may hold in queues before new ones are refused. Node's default of 10 is less
 * than one full window; the largest frame and a busy relay fit into this.
 */
export const maxSessionMemory = 512

export const minVersion = 'TLSv1.3'

/**
 * TLS is given no authorities at either end: the judges of certificates are `verifyServer` and `ConnectionPeer`. OpenSSL,
 * where it finds a chain good, keeps the authorities that came along with it to itself, and they are needed by both.
 */
export const noAuthorities: string[] = []
