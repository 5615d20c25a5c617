import type { LabCluster } from './lab-cluster.ts'

/** What `wrk` saw: answers a second, and how many requests came to nothing. */
export interface Load {
  readonly perSecond: number
  readonly failed: number
}

const number = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0)

/** Requests of 32 connections for some seconds, from a host or from inside a container of it (`pid`). */
export async function wrk(
  cluster: LabCluster,
  host: string,
  url: string,
  options: { readonly pid?: string; readonly seconds: number; readonly isNewEach?: boolean },
): Promise<Load> {
  const inside = options.pid === undefined ? [] : ['nsenter', '--target', options.pid, '--net']
  const header = options.isNewEach === true ? ['--header', 'Connection: close'] : []
  const args = ['--threads', '1', '--connections', '32', '--duration', `${String(options.seconds)}s`]
  const text = await cluster.run(host, ...inside, 'wrk', ...args, ...header, url)
  const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)
  const broken = (sockets ?? []).slice(1).reduce((sum, count) => sum + Number(count), 0)
  return {
    perSecond: number(text, /Requests\/sec:\s+([\d.]+)/),
    failed: broken + number(text, /Non-2xx or 3xx responses: (\d+)/),
  }
}

/** TCP throughput in Gbit/s. */
export async function iperf(
  cluster: LabCluster,
  server: { readonly host: string; readonly pid?: string; readonly address: string },
  client: { readonly host: string; readonly pid?: string },
  seconds: number,
): Promise<number> {
  const inside = (pid?: string) => (pid === undefined ? [] : ['nsenter', '--target', pid, '--net'])
  await cluster.run(server.host, ...inside(server.pid), 'iperf3', '--server', '--one-off', '--daemon')
  const time = ['--time', String(seconds), '--json']
  const said = await cluster.run(
    client.host,
    ...inside(client.pid),
    'iperf3',
    '--client',
    server.address,
    ...time,
  )
  const { end } = JSON.parse(said) as { end: { sum_received: { bits_per_second: number } } }
  return end.sum_received.bits_per_second / 1e9
}

/**
 * What `dnsperf` saw of a name server, with 64 questions under way at most. It runs before whatever else the machine does:
 * a client that waits for its turn sees itself, not the server.
 */
export async function dnsperf(
  cluster: LabCluster,
  host: string,
  options: {
    readonly pid: string
    readonly server: string
    readonly name: string
    readonly seconds: number
    /** Default: as many as go. */
    readonly perSecond?: number
  },
): Promise<{ readonly perSecond: number; readonly medianMs: number; readonly p99Ms: number }> {
  const { pid, server, name, seconds, perSecond } = options
  const rate = perSecond === undefined ? '' : `-v -Q ${perSecond.toFixed(0)}`
  const file = '/run/dnsperf-questions'
  const line = `echo '${name} A' >${file}; nice -n -15 dnsperf -s ${server} -d ${file} -q 64 -l ${String(seconds)} ${rate}`
  const text = await cluster.run(host, 'nsenter', '--target', pid, '--net', 'sh', '-c', line)
  const tookMs = [...text.matchAll(/^> NOERROR \S+ A ([\d.]+)$/gm)].map((match) => Number(match[1]) * 1_000)
  tookMs.sort((a, b) => a - b)
  const at = (share: number) => tookMs[Math.floor(tookMs.length * share)] ?? Number.NaN
  return { perSecond: number(text, /Queries per second:\s+([\d.]+)/), medianMs: at(0.5), p99Ms: at(0.99) }
}
