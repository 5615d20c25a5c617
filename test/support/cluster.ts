import { readFile } from 'node:fs/promises'
import { errorText, isMureError } from '#lib/errors.ts'
import { sleep } from '#lib/wait.ts'
import { labDown } from '#lab/down.ts'
import { logFile } from '#lab/host-files.ts'
import { bootHost, moveCable, stopHost } from '#lab/operations.ts'
import { hostOf } from '#lab/record.ts'
import type { LabRecord } from '#lab/record.ts'
import { runIn } from '#lab/run.ts'
import { labUp } from '#lab/up.ts'

const silent = () => undefined
const linesOfEach = 12

/** A lab of a test's own, driven by the real docker CLI inside its hosts. Gone when disposed. */
export class TestCluster implements AsyncDisposable {
  readonly lab: LabRecord

  private constructor(lab: LabRecord) {
    this.lab = lab
  }

  static async up(options: {
    name: string
    managers: number
    workers: number
    swarm?: boolean
  }): Promise<TestCluster> {
    await labDown(options.name, silent)
    try {
      const lab = await labUp({ swarm: true, ...options, kind: 'mure', say: silent })
      return new TestCluster(lab)
    } catch (error) {
      await labDown(options.name, silent)
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await labDown(this.lab.name, silent)
  }

  /** What docker says, run in a host. Throws when it fails. */
  docker(host: string, ...args: string[]): Promise<string> {
    return runIn(this.lab, hostOf(this.lab, host), ['docker', ...args], { timeoutMs: 60_000 }).then((text) =>
      text.trimEnd(),
    )
  }

  /** As `docker`, for what is expected to be refused: what it says on stderr. */
  async refused(host: string, ...args: string[]): Promise<string> {
    const machine = hostOf(this.lab, host)
    const said = await runIn(this.lab, machine, ['docker', ...args], { timeoutMs: 60_000 }).catch(
      (error: unknown) => {
        if (!isMureError(error, 'internal')) throw error
        return { refusal: errorText(error) }
      },
    )
    if (typeof said === 'string') throw new Error(`docker ${args.join(' ')} was not refused: ${said}`)
    return said.refusal
  }

  run(host: string, ...command: string[]): Promise<string> {
    return this.runFor(60_000, host, ...command)
  }

  /** As `run`, with a time of its own. */
  runFor(timeoutMs: number, host: string, ...command: string[]): Promise<string> {
    return runIn(this.lab, hostOf(this.lab, host), command, { timeoutMs })
  }

  powerOff(host: string): Promise<void> {
    return stopHost(this.lab.name, host, silent)
  }

  /** Switches a host on and waits until docker answers there. */
  start(host: string): Promise<void> {
    return bootHost(this.lab.name, host, silent)
  }

  /** As `start`, and until the host answers as a manager. */
  async startManager(host: string): Promise<void> {
    await this.start(host)
    await this.until(
      `${host} to answer as a manager`,
      async () => (await this.docker(host, 'node', 'ls')) !== '',
    )
  }

  cable(host: string, plugged: boolean): Promise<void> {
    return moveCable(this.lab.name, host, plugged ? 'up' : 'down', silent)
  }

  /** Looks until it is so, or says after the limit what it saw last. */
  async until(what: string, look: () => Promise<boolean | string>, timeoutMs = 60_000): Promise<void> {
    let last: unknown
    const started = performance.now()
    for (;;) {
      try {
        last = await look()
        if (last === true) return
      } catch (error) {
        last = error
      }
      if (performance.now() - started > timeoutMs)
        throw new Error(
          `waited ${String(timeoutMs / 1000)} s for ${what}; last seen: ${String(last)}\n${await this.lastWords()}`,
        )
      await sleep(100)
    }
  }

  /** The ends of the daemons' logs, for who reads of a failure on a machine that is gone by then. */
  private async lastWords(): Promise<string> {
    const logs = this.lab.hosts.map(async ({ name }) => {
      const text = await readFile(logFile(this.lab.name, name, 'mured'), 'utf8').catch(() => '')
      return text
        .trimEnd()
        .split('\n')
        .slice(-linesOfEach)
        .map((line) => `${name}: ${line}`)
    })
    return (await Promise.all(logs)).flat().join('\n')
  }

  /** Where the tasks of a service run now: one line for each. */
  async runningOn(manager: string, service: string): Promise<string[]> {
    const text = await this.docker(
      manager,
      ...[
        'service',
        'ps',
        '--filter',
        'desired-state=running',
        '--format',
        '{{.Node}} {{.CurrentState}}',
        service,
      ],
    )
    return text
      .split('\n')
      .filter((line) => / Running /.test(line))
      .map((line) => line.split(' ')[0] ?? '')
  }

  async untilRunning(manager: string, service: string, count: number, besides = ''): Promise<void> {
    await this.until(`${String(count)} tasks of ${service} to run`, async () => {
      const nodes = (await this.runningOn(manager, service)).filter((node) => node !== besides)
      return nodes.length === count || `${String(nodes.length)}: ${nodes.join(' ')}`
    })
  }

  async nodes(manager: string): Promise<Map<string, { status: string; manager: string }>> {
    const text = await this.docker(
      manager,
      'node',
      'ls',
      '--format',
      '{{.Hostname}}|{{.Status}}|{{.ManagerStatus}}',
    )
    return new Map(
      text.split('\n').map((line) => {
        const [host = '', status = '', role = ''] = line.split('|')
        return [host, { status, manager: role }]
      }),
    )
  }

  async leader(manager: string): Promise<string> {
    for (const [host, node] of await this.nodes(manager)) if (node.manager === 'Leader') return host
    return ''
  }
}

export const webImage = 'registry:5000/web:latest'
