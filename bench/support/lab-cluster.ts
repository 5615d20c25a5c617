import { connect } from 'node:net'
import { request } from 'node:http'
import { labDown } from '#lab/down.ts'
import { hostPid } from '#lab/host.ts'
import { bootHost, stopHost } from '#lab/operations.ts'
import { apiSocket, engineSocket } from '#lab/probe.ts'
import { hostOf, machinesOf } from '#lab/record.ts'
import type { LabRecord } from '#lab/record.ts'
import { runIn } from '#lab/run.ts'
import { labUp } from '#lab/up.ts'

const silent = () => undefined

/** A swarm of real hosts, Mure's or Debian's Docker's, spoken to over its sockets as any client does. */
export class LabCluster implements AsyncDisposable {
  readonly #lab: LabRecord

  private constructor(lab: LabRecord) {
    this.#lab = lab
  }

  static async up(
    name: string,
    kind: 'mure' | 'engine',
    managers: number,
    workers: number,
  ): Promise<LabCluster> {
    await labDown(name, silent)
    return new LabCluster(await labUp({ name, kind, managers, workers, swarm: true, say: silent }))
  }

  get hosts(): string[] {
    return machinesOf(this.#lab).map((host) => host.name)
  }

  address(host: string): string {
    return hostOf(this.#lab, host).address
  }

  docker(host: string, ...args: string[]): Promise<string> {
    return runIn(this.#lab, hostOf(this.#lab, host), ['docker', ...args], { timeoutMs: 120_000 })
  }

  run(host: string, ...command: string[]): Promise<string> {
    return runIn(this.#lab, hostOf(this.#lab, host), command, { timeoutMs: 120_000 })
  }

  powerOff(host: string): Promise<void> {
    return stopHost(this.#lab.name, host, silent)
  }

  powerOn(host: string): Promise<void> {
    return bootHost(this.#lab.name, host, silent)
  }

  /** A call to a host's Docker API, or to the bare engine behind it; undefined for anything but success. */
  async call<T>(
    host: string,
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    options: { readonly json?: unknown; readonly engine?: boolean; readonly timeoutMs?: number } = {},
  ): Promise<T | undefined> {
    const machine = hostOf(this.#lab, host)
    const pid = await hostPid(this.#lab, machine)
    if (pid === undefined) return undefined
    const socket = options.engine === true ? engineSocket(machine) : apiSocket
    const body = options.json === undefined ? undefined : JSON.stringify(options.json)
    return new Promise((resolve) => {
      const outgoing = request(
        {
          createConnection: () => connect(`/proc/${String(pid)}/root${socket}`),
          method,
          path,
          headers: { host: 'docker', 'content-type': 'application/json' },
          timeout: options.timeoutMs ?? 10_000,
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => (text += chunk))
          response.on('end', () => {
            const isGood = (response.statusCode ?? 500) < 300
            resolve(isGood ? (JSON.parse(text === '' ? '{}' : text) as T) : undefined)
          })
          response.on('error', () => {
            resolve(undefined)
          })
        },
      )
      outgoing.on('timeout', () => outgoing.destroy())
      outgoing.on('error', () => {
        resolve(undefined)
      })
      outgoing.end(body)
    })
  }

  /** How a manager sees a host: `ready`, `down` … */
  async stateOf(manager: string, host: string): Promise<string | undefined> {
    const nodes = await this.call<NodeAnswer[]>(manager, 'GET', '/v1.41/nodes')
    return nodes?.find((node) => node.Description.Hostname === host)?.Status.State
  }

  /** Running tasks that are meant to run, by node id. */
  async running(manager: string, service: string): Promise<string[]> {
    const filters = encodeURIComponent(JSON.stringify({ service: [service], 'desired-state': ['running'] }))
    const tasks = await this.call<TaskAnswer[]>(manager, 'GET', `/v1.41/tasks?filters=${filters}`)
    return (tasks ?? []).filter((task) => task.Status.State === 'running').map((task) => task.NodeID ?? '')
  }

  async nodeId(host: string): Promise<string> {
    return (await this.docker(host, 'info', '--format', '{{.Swarm.NodeID}}')).trim()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await labDown(this.#lab.name, silent)
  }
}

interface NodeAnswer {
  readonly Description: { readonly Hostname: string }
  readonly Status: { readonly State: string }
}

interface TaskAnswer {
  readonly NodeID?: string
  readonly Status: { readonly State: string }
}
