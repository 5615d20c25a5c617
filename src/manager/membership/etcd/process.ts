import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { setPriority } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { MureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { sleep } from '#lib/wait.ts'

/** What one etcd member is started with. */
export interface EtcdProcessOptions {
  readonly name: string
  readonly dataDir: string
  /** The folder of the client socket. Only root may enter it: whoever can connect may do all. */
  readonly socketDir: string
  readonly peerUrl: string
  /** Where peers are listened to, if not at the peer URL's own address. */
  readonly peerListenUrl: string
  readonly initialCluster: string
  readonly initialState: 'new' | 'existing'
  readonly forceNewCluster: boolean
  readonly tls: { readonly certificate: string; readonly key: string; readonly trust: string }
  readonly allowedPeerName: string
}

/**
 * Timing of the consensus: a leader that is silent for 0.6 s is replaced, so that writes go on within some two
 * seconds of its death; ten heartbeats in that time let a busy host miss some.
 */
const heartbeatMs = 60
const electionTimeoutMs = 600
/** Above everything a test or a busy host runs, since a starved member costs an election. */
const niceness = -15

/**
 * etcd 3.4 takes a unix URL only in the form `unix://name:number` and makes a socket of that very name in its
 * working folder.
 */
const socketName = 'etcd.sock:0'

export const clientSocket = (socketDir: string): string => join(socketDir, socketName)

export function etcdArguments(options: EtcdProcessOptions): string[] {
  return [
    `--name=${options.name}`,
    `--data-dir=${options.dataDir}`,
    `--listen-client-urls=unix://${socketName}`,
    `--advertise-client-urls=unix://${socketName}`,
    `--listen-peer-urls=${options.peerListenUrl}`,
    `--initial-advertise-peer-urls=${options.peerUrl}`,
    `--initial-cluster=${options.initialCluster}`,
    `--initial-cluster-state=${options.initialState}`,
    `--initial-cluster-token=mure`,
    `--peer-client-cert-auth=true`,
    `--peer-cert-file=${options.tls.certificate}`,
    `--peer-key-file=${options.tls.key}`,
    `--peer-trusted-ca-file=${options.tls.trust}`,
    `--peer-cert-allowed-cn=${options.allowedPeerName}`,
    `--heartbeat-interval=${String(heartbeatMs)}`,
    `--election-timeout=${String(electionTimeoutMs)}`,
    `--max-txn-ops=20000`,
    `--max-request-bytes=${String(64 * 1024 * 1024)}`,
    `--quota-backend-bytes=${String(8 * 1024 * 1024 * 1024)}`,
    `--auto-compaction-mode=periodic`,
    `--auto-compaction-retention=30m`,
    `--snapshot-count=20000`,
    `--logger=zap`,
    `--log-outputs=stderr`,
    `--log-level=warn`,
    `--pre-vote=true`,
    // It would refuse any change of members for five seconds after the last, and the removal of one that leaves with
    // force. What would cost the quorum is refused before it comes here.
    `--strict-reconfig-check=false`,
    ...(options.forceNewCluster ? ['--force-new-cluster'] : []),
  ]
}

const restartMs = [200, 500, 1_000, 2_000, 5_000]

/**
 * One etcd member as a child process. It dies with us, however we die; when it dies by itself it is started
 * again, on the data it has.
 */
export class EtcdProcess implements AsyncDisposable {
  #options: EtcdProcessOptions
  readonly #logger: Logger
  readonly #stop = new AbortController()
  #child: ChildProcess | undefined
  #supervision: Promise<void> = Promise.resolve()
  /** The last thing it said before it ended: what a person wants to know when it does not start. */
  lastWords = ''

  constructor(options: EtcdProcessOptions, logger: Logger) {
    this.#options = options
    this.#logger = logger
  }

  async start(): Promise<void> {
    await mkdir(this.#options.dataDir, { recursive: true, mode: 0o700 })
    await mkdir(this.#options.socketDir, { recursive: true, mode: 0o700 })
    this.#supervision = this.#supervise()
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Stops it and starts it anew, as after a change of the roots it trusts. */
  restart(): void {
    this.#child?.kill('SIGTERM')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    const child = this.#child
    child?.kill('SIGTERM')
    const timer = setTimeout(() => child?.kill('SIGKILL'), 3_000)
    await this.#supervision
    clearTimeout(timer)
  }

  async #supervise(): Promise<void> {
    for (let failures = 0; !this.#stop.signal.aborted;) {
      const startedAt = performance.now()
      const exit = await this.#runOnce()
      if (this.#stop.signal.aborted) return
      // Forced once is enough: a second time would throw out members that joined since.
      this.#options = { ...this.#options, forceNewCluster: false }
      failures = performance.now() - startedAt > 30_000 ? 0 : failures + 1
      this.#logger.warn('etcd ended and is started again', { exit, lastWords: this.lastWords })
      await sleep(restartMs[Math.min(failures, restartMs.length) - 1] ?? 0, this.#stop.signal).catch(
        () => undefined,
      )
    }
  }

  async #runOnce(): Promise<string> {
    await rm(clientSocket(this.#options.socketDir), { force: true })
    if (this.#stop.signal.aborted) return 'stopped'
    const args = ['--pdeathsig', 'KILL', '--', 'etcd', ...etcdArguments(this.#options)]
    return new Promise((resolve) => {
      const child = spawn('setpriv', args, {
        cwd: this.#options.socketDir,
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      this.#child = child
      if (child.pid !== undefined) raisePriority(child.pid, this.#logger)
      createInterface({ input: child.stderr }).on('line', (line) => {
        this.#hear(line)
      })
      child.once('error', (error) => {
        this.lastWords = error.message
        resolve(error.message)
      })
      child.once('exit', (code, signal) => {
        this.#child = undefined
        resolve(signal ?? String(code))
      })
    })
  }

  #hear(line: string): void {
    const record = parseLine(line)
    if (record.level === 'fatal' || record.level === 'panic' || record.level === 'error')
      this.lastWords = [record.msg, record.error].filter(Boolean).join(': ')
    this.#logger.debug('etcd says', { level: record.level, text: record.msg, error: record.error })
  }
}

function parseLine(line: string): { level?: string; msg?: string; error?: string } {
  try {
    return JSON.parse(line) as { level?: string; msg?: string; error?: string }
  } catch {
    return { level: 'info', msg: line }
  }
}

function raisePriority(pid: number, logger: Logger): void {
  try {
    setPriority(pid, niceness)
  } catch (error) {
    logger.debug('the priority of etcd could not be raised', { error })
  }
}

/** The words for a member that does not come up. */
export const notReady = (process: EtcdProcess): MureError =>
  new MureError(
    'unavailable',
    `etcd does not come up${process.lastWords === '' ? '' : `: ${process.lastWords}`}`,
  )
