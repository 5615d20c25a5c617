import { request } from 'node:http'
import { execResult } from '#lib/exec.ts'
import { labDown } from '#lab/down.ts'
import { hostPid } from '#lab/host.ts'
import { hostOf } from '#lab/record.ts'
import { labUp } from '#lab/up.ts'
import { parseJson } from '#lib/lossless-json.ts'

const silent = () => undefined

/** What a host answered, in a form that can be compared. */
export type Outcome =
  | { readonly status: number; readonly type: string; readonly body: unknown }
  | { readonly exit: number; readonly stdout: unknown; readonly stderr: string }

export type Headers = Readonly<Record<string, string>>

/** A plain Docker host, or one of Mure's. */
export class ComparedHost {
  readonly kind: 'docker' | 'mure'
  readonly name: string
  readonly address: string
  readonly #socketPath: string

  constructor(kind: 'docker' | 'mure', name: string, address: string, socketPath: string) {
    this.kind = kind
    this.name = name
    this.address = address
    this.#socketPath = socketPath
  }

  /**
   * One call of the API. In the path, `{version:services/web}` and `{id:services/web}` stand for what that object
   * has on this host.
   */
  async api(method: string, path: string, body?: unknown, headers: Headers = {}): Promise<Outcome> {
    const answer = await this.#call(method, await this.#filled(path), body, headers)
    const json = /json/.test(answer.type) && answer.text !== '' ? parseJson(answer.text) : answer.text
    return { status: answer.status, type: answer.type, body: json }
  }

  /** What the host says has happened between two moments, in seconds: of the cluster, or as the filters say. */
  async events(since: number, until: number, filters: object): Promise<Record<string, unknown>[]> {
    const query = `since=${String(since)}&until=${String(until)}&filters=${encodeURIComponent(JSON.stringify(filters))}`
    const { text } = await this.#call('GET', `/v1.41/events?${query}`, undefined)
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  /** One command of the CLI; output that is JSON is compared as such. */
  async docker(args: readonly string[], input?: string): Promise<Outcome> {
    const filled = await Promise.all(args.map((arg) => this.#filled(arg)))
    const result = await execResult('docker', filled, {
      env: { ...process.env, DOCKER_HOST: `unix://${this.#socketPath}`, DOCKER_CONFIG: '/nonexistent' },
      timeoutMs: 60_000,
      ...(input === undefined ? {} : { input }),
    })
    return { exit: result.exitCode, stdout: asJson(result.stdout), stderr: result.stderr }
  }

  async #filled(text: string): Promise<string> {
    let filled = text.replaceAll('{address}', this.address).replaceAll('{host}', this.name)
    const places = [...filled.matchAll(/\{(version|id):([^}]+)\}/g)]
    for (const [place, what, object] of places) {
      const { text: answer } = await this.#call('GET', `/v1.41/${object ?? ''}`)
      const found = JSON.parse(answer) as { ID?: string; Id?: string; Version?: { Index: number } }
      const value = what === 'id' ? (found.ID ?? found.Id) : String(found.Version?.Index)
      filled = filled.replace(place, value ?? '')
    }
    return filled
  }

  #call(
    method: string,
    path: string,
    body?: unknown,
    more: Headers = {},
  ): Promise<{ status: number; type: string; text: string }> {
    return new Promise((resolve, reject) => {
      const headers = { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...more }
      const outgoing = request(
        { socketPath: this.#socketPath, method, path, headers, agent: false, timeout: 60_000 },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.once('error', reject)
          response.once('end', () => {
            const text = Buffer.concat(chunks).toString()
            resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text })
          })
        },
      )
      outgoing.once('error', reject)
      outgoing.once('timeout', () => outgoing.destroy(new Error(`${method} ${path} was not answered`)))
      outgoing.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body))
    })
  }
}

function asJson(text: string): unknown {
  if (!/^[[{]/.test(text.trimStart())) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** A lab of two hosts: a plain Docker Engine, and the same with Mure beside it. Neither is in a swarm. */
export class ComparedHosts implements AsyncDisposable {
  readonly hosts: readonly [docker: ComparedHost, mure: ComparedHost]
  readonly #lab: string

  private constructor(lab: string, hosts: readonly [ComparedHost, ComparedHost]) {
    this.#lab = lab
    this.hosts = hosts
  }

  static async up(name: string): Promise<ComparedHosts> {
    await labDown(name, silent)
    const options = { name, swarm: false, say: silent } as const
    try {
      await labUp({ ...options, managers: 1, workers: 0, kind: 'engine' })
      const lab = await labUp({ ...options, workers: 1, kind: 'mure' })
      const host = async (kind: ComparedHost['kind'], hostName: string) => {
        const machine = hostOf(lab, hostName)
        const pid = await hostPid(lab, machine)
        const socketPath = `/proc/${String(pid)}/root/run/docker.sock`
        return new ComparedHost(kind, hostName, machine.address, socketPath)
      }
      return new ComparedHosts(name, [await host('docker', 'manager01'), await host('mure', 'worker01')])
    } catch (error) {
      await labDown(name, silent)
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await labDown(this.#lab, silent)
  }
}
