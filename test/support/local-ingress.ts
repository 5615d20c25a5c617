import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { IngressAgent } from '#agent/ingress/ingress-agent.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import type { DataPlaneMember } from '#model/data-plane.ts'
import type { NetworkId, NodeId, ServiceId, TaskId } from '#model/id.ts'
import type { IngressConfiguration, IngressNodeState, RouteInForce } from '#model/ingress/configuration.ts'

/** Where tasks of this ingress listen: loopback addresses, as no network of a cluster is there. */
export const taskPort = 28_080

/** The ingress's agent with a real HAProxy on this machine, and a network of loopback addresses. */
export class LocalIngress implements AsyncDisposable {
  readonly folder: string
  readonly httpPort: number
  agent: IngressAgent
  state: IngressNodeState | undefined
  #members: DataPlaneMember[] = []

  static async start(httpPort: number): Promise<LocalIngress> {
    return new LocalIngress(await mkdtemp(join(tmpdir(), 'mure-haproxy-')), httpPort)
  }

  private constructor(folder: string, httpPort: number) {
    this.folder = folder
    this.httpPort = httpPort
    this.agent = this.#newAgent()
  }

  #newAgent(): IngressAgent {
    return new IngressAgent({
      folder: join(this.folder, 'run'),
      accessLogFile: join(this.folder, 'access.log'),
      network: {
        ingressMembers: () => this.#members,
        isHostDown: () => false,
        localAddress: () => '',
        keepIngressNetwork: async () => undefined,
      },
      clock: systemClock,
      logger: silentLogger,
      report: (state) => {
        this.state = state
      },
    })
  }

  /** As when the daemon is restarted: HAProxy is not. */
  async restart(): Promise<void> {
    await this.agent[Symbol.asyncDispose]()
    this.agent = this.#newAgent()
  }

  configuration(
    routes: readonly RouteInForce[],
    others: Partial<IngressConfiguration> = {},
  ): IngressConfiguration {
    return {
      httpPort: this.httpPort,
      httpsPort: this.httpPort + 1,
      statisticsPort: this.httpPort + 2,
      login: { user: 'admin', password: 'password' },
      cookieKey: 'key',
      accessLog: true,
      routes,
      certificates: [],
      challenges: [],
      ...others,
    }
  }

  /** The tasks of the only service there is, by their addresses. */
  async serveBy(addresses: readonly string[]): Promise<void> {
    this.#members = addresses.map((address) => ({
      key: address,
      taskId: address as TaskId,
      networkId: 'ingress' as NetworkId,
      nodeId: 'node' as NodeId,
      addresses: [address],
      serviceId: 'service' as ServiceId,
      names: [],
      isServing: true,
    }))
    await this.agent.sync()
  }

  /** The process that serves now. */
  async pid(): Promise<number> {
    const note = await readFile(join(this.folder, 'run', 'serving.json'), 'utf8')
    return (JSON.parse(note) as { pid: number }).pid
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent.configure(undefined)
    await this.agent[Symbol.asyncDispose]()
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** A route of that service. */
export const aRoute = (options: Partial<RouteInForce> = {}): RouteInForce => ({
  id: `web:${String(taskPort)}`,
  serviceId: 'service' as ServiceId,
  serviceName: 'web',
  matches: [{ host: '*', path: '/' }],
  port: taskPort,
  isSticky: false,
  protocol: 'http',
  isSecure: false,
  ...options,
})

/** 127.0.1.1 and so on. */
export const loopbacks = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `127.0.1.${String(index + 1)}`)
