import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '#lib/atomic-file.ts'
import type { Clock } from '#lib/clock.ts'
import { errorText, MureError } from '#lib/errors.ts'
import { exec, execResult } from '#lib/exec.ts'
import { outliving } from '#lib/outliving.ts'
import type { Logger } from '#lib/logger.ts'
import { Mutex } from '#lib/mutex.ts'
import type { DataPlaneHost } from '#model/data-plane.ts'
import { ipBatch, ipBatchLoose } from '../tools.ts'
import { innerAddress, innerPrefix, renderEncryption } from './config.ts'
import { freshTunnelKey } from './key-file.ts'
import type { TunnelKey } from './key-file.ts'

const keyFile = 'tunnel-key.json'
const keyLifeMs = 7 * 24 * 3_600_000
const startMs = 10_000
const lookAtKeyEveryMs = 3_600_000
/** WireGuard's headers, over IPv6. */
const overheadBytes = 80

/**
 * The encrypted tunnels between hosts: one WireGuard device, there while an encrypted network is. The kernel's own
 * where it has it, otherwise `wireguard-go`, which outlives this process as a kernel's device would. What is sent to
 * a host's inner address has no other way: where the device is missing, it is not sent at all.
 */
export class Encryption implements AsyncDisposable {
  readonly device: string
  readonly #parts: EncryptionParts
  readonly #mutex = new Mutex()
  #key: TunnelKey | undefined
  #applied: string | undefined
  #hosts: readonly DataPlaneHost[] = []
  #timer: NodeJS.Timeout | undefined

  static async start(parts: EncryptionParts): Promise<Encryption> {
    const encryption = new Encryption(parts)
    if (await canEncrypt()) await encryption.#freshKey()
    return encryption
  }

  private constructor(parts: EncryptionParts) {
    this.#parts = parts
    this.device = `muw${parts.mark}`
  }

  /** What other hosts need to speak with this one; undefined: this host cannot. */
  get publicKey(): string | undefined {
    return this.#key?.publicKey
  }

  /** Of networks inside, from that of the link between hosts. */
  mtu(underlayMtu: number): number {
    return underlayMtu - overheadBytes
  }

  /** The device is there, and speaks with these hosts. `unsupported`: this host cannot encrypt. */
  ensure(hosts: readonly DataPlaneHost[], underlayMtu: number): Promise<void> {
    return this.#mutex.run(async () => {
      this.#hosts = hosts
      const { nodeId } = this.#parts
      if (this.#key === undefined)
        throw new MureError(
          'unsupported',
          'this host cannot be on an encrypted network: its kernel has no WireGuard, and there is no wireguard-go',
        )
      if ((await execResult('ip', ['link', 'show', this.device])).exitCode !== 0) {
        this.#applied = undefined
        await this.#makeDevice()
      }
      await this.#configure(this.#key)
      await ipBatch([
        `addr replace ${innerAddress(nodeId)}/128 dev ${this.device}`,
        `link set ${this.device} mtu ${String(this.mtu(underlayMtu))} up`,
        `route replace ${innerPrefix} dev ${this.device} metric 1024`,
        `route replace unreachable ${innerPrefix} metric 8192`,
      ])
    })
  }

  remove(): Promise<void> {
    return this.#mutex.run(async () => {
      this.#applied = undefined
      await ipBatchLoose([`link del ${this.device}`, `route del unreachable ${innerPrefix} metric 8192`])
    })
  }

  /** This host leaves the cluster. */
  async forget(): Promise<void> {
    await this.remove()
    await rm(join(this.#parts.dataDir, keyFile), { force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#mutex.run(async () => undefined)
  }

  async #freshKey(): Promise<void> {
    const { dataDir, clock } = this.#parts
    const look = async () => {
      const before = this.#key?.publicKey
      this.#key = await freshTunnelKey(join(dataDir, keyFile), clock.now(), keyLifeMs)
      if (before === undefined || before === this.#key.publicKey) return
      this.#parts.logger.info('this host has a new key of its encrypted tunnels')
      // Those who hear of it first cannot speak with us until we have it too.
      if (this.#applied !== undefined) await this.#mutex.run(() => this.#configure(this.#key))
      this.#parts.keyChanged()
    }
    await look()
    this.#timer = setInterval(() => {
      look().catch((error: unknown) => {
        this.#parts.logger.warn('the key of encrypted tunnels was not renewed', { error })
      })
    }, lookAtKeyEveryMs)
  }

  async #makeDevice(): Promise<void> {
    const kernels = await execResult('ip', ['link', 'add', this.device, 'type', 'wireguard'])
    if (kernels.exitCode === 0) return
    // It goes on in the background, and would hold on to any pipe of ours.
    const env = { ...process.env, LOG_LEVEL: 'error' }
    const child = spawn(...(await outliving('wireguard-go', [this.device])), {
      stdio: 'ignore',
      env,
      timeout: startMs,
    })
    const [code] = (await once(child, 'exit')) as [number | null]
    if (code !== 0)
      throw new MureError('unavailable', `wireguard-go did not start: exit code ${String(code)}`)
  }

  async #configure(key: TunnelKey | undefined): Promise<void> {
    if (key === undefined) return
    const wanted = renderEncryption(key.privateKey, this.#parts.nodeId, this.#hosts)
    if (wanted === this.#applied) return
    const file = join(this.#parts.dataDir, 'tunnel.conf')
    await writeFileAtomic(file, wanted)
    try {
      await exec('wg', ['syncconf', this.device, file])
    } catch (error) {
      // Its message may quote the key.
      const said = errorText(error).replaceAll(key.privateKey, '…')
      throw new MureError('unavailable', `the encrypted tunnels could not be set up: ${said}`)
    } finally {
      await rm(file, { force: true })
    }
    this.#applied = wanted
  }
}

interface EncryptionParts {
  readonly nodeId: string
  readonly mark: string
  readonly dataDir: string
  readonly clock: Clock
  readonly logger: Logger
  readonly keyChanged: () => void
}

/** By the kernel, or by a program in its place. */
async function canEncrypt(): Promise<boolean> {
  if (!(await runs('wg', ['--version']))) return false
  const trial = `muwtry${String(process.pid % 100_000)}`
  const made = await execResult('ip', ['link', 'add', trial, 'type', 'wireguard'])
  if (made.exitCode === 0) {
    await execResult('ip', ['link', 'del', trial])
    return true
  }
  return runs('wireguard-go', ['--version'])
}

async function runs(program: string, args: readonly string[]): Promise<boolean> {
  try {
    return (await execResult(program, args)).exitCode === 0
  } catch {
    return false
  }
}
