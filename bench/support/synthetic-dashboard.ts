import { startDashboard } from '#api/dashboard/server.ts'
import type { Dashboard } from '#api/dashboard/server.ts'
import type { LocalNode } from '#api/backend.ts'
import { instant, systemClock } from '#lib/clock.ts'
import { MureError } from '#lib/errors.ts'
import { silentLogger } from '#lib/logger.ts'
import { seededRandom } from '#lib/random.ts'
import type { Control } from '#manager/control/control.ts'
import { ingressStateOf } from '#manager/control/ingress.ts'
import type { NodeId } from '#model/id.ts'
import type { StoredObject } from '#model/objects.ts'
import type { Node } from '#model/node.ts'
import type { Task } from '#model/task.ts'
import type { ClusterUsage, UsagePoint } from '#model/usage.ts'
import { aNode, aService, aTask } from '#model/testing/builders.ts'
import { sign } from '#security/grant.ts'
import { StoreMirror } from '#store/mirror/mirror.ts'

export interface SyntheticSize {
  readonly nodes: number
  readonly services: number
  readonly tasks: number
}

const names = ['web', 'api', 'worker', 'cache', 'search', 'mail', 'auth', 'billing', 'media', 'queue']
const images = ['registry:5000/web:2.1', 'registry:5000/api:1.8.3', 'registry:5000/busybox:latest']

/** A dashboard over a cluster that is only in memory, of any size, in which tasks can be made to change. */
export class SyntheticDashboard implements AsyncDisposable {
  readonly mirror = new StoreMirror(silentLogger)
  readonly token: string
  readonly url: string
  readonly #dashboard: Dashboard
  #tasks: Task[]

  private constructor(dashboard: Dashboard, token: string, tasks: Task[], mirror: StoreMirror) {
    this.#dashboard = dashboard
    this.token = token
    this.#tasks = tasks
    this.mirror = mirror
    const { host } = dashboard.listening
    this.url = `http://127.0.0.1:${String(host.kind === 'tcp' ? host.portNumber : 0)}`
  }

  static start(size: SyntheticSize): Promise<SyntheticDashboard> {
    const { objects, tasks } = objectsOf(size)
    return SyntheticDashboard.over(objects, tasks)
  }

  static async over(objects: readonly StoredObject[], tasks: Task[]): Promise<SyntheticDashboard> {
    const mirror = new StoreMirror(silentLogger)
    mirror.replace(objects, 1)
    mirror.current = true
    const key = Buffer.alloc(32, 7)
    const dashboard = await startDashboard({
      host: 'tcp://127.0.0.1:0',
      node: nodeWith(mirror, key),
      dockerSocket: '/nowhere',
      clock: systemClock,
      logger: silentLogger,
    })
    const expiresAt = Date.now() + 3_600_000
    const token = sign(key, 'token', { role: 'admin', expiresAt, id: 'bench' })
    return new SyntheticDashboard(dashboard, token, tasks, mirror)
  }

  /** Some tasks come to another state, as in a rolling update. */
  change(count: number): void {
    const random = seededRandom(this.mirror.revision)
    const revision = this.mirror.revision + 1
    const entries = Array.from({ length: count }, () => {
      const place = random.below(this.#tasks.length)
      const task = this.#tasks[place]
      if (task === undefined) throw new MureError('internal', 'there are no tasks')
      const state = task.status.state === 'running' ? ('starting' as const) : ('running' as const)
      const next: Task = {
        ...task,
        meta: { ...task.meta, version: revision },
        status: { ...task.status, state, since: instant(Date.now()) },
      }
      this.#tasks[place] = next
      return { kind: 'task' as const, id: task.meta.id, object: next }
    })
    this.mirror.apply({ revision, entries })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dashboard[Symbol.asyncDispose]()
  }
}

function objectsOf(size: SyntheticSize): { objects: StoredObject[]; tasks: Task[] } {
  const nodes = Array.from({ length: size.nodes }, (_, i) =>
    aNode({ hostname: i < 3 ? `manager${String(i + 1)}` : `worker${String(i - 2)}`, ...roleOf(i) }),
  )
  const services = Array.from({ length: size.services }, (_, i) =>
    aService({
      name: `${names[i % names.length] ?? ''}${i < names.length ? '' : String(Math.floor(i / names.length))}`,
      image: images[i % images.length] ?? '',
      replicas: Math.ceil(size.tasks / size.services),
    }),
  )
  const tasks = Array.from({ length: size.tasks }, (_, i) => {
    const service = services[i % services.length]
    return aTask({
      state: 'running',
      serviceId: service?.meta.id ?? '',
      serviceName: service?.spec.name ?? '',
      slot: Math.floor(i / services.length) + 1,
      nodeId: nodes[i % nodes.length]?.meta.id ?? '',
      spec: service?.spec.template ?? { containers: [] },
    })
  })
  return { objects: [...nodes, ...services, ...tasks], tasks }
}

function roleOf(place: number): Parameters<typeof aNode>[0] {
  if (place >= 3) return {}
  return {
    role: 'manager',
    status: {
      manager: { memberId: '', address: '', peerUrl: '', leader: place === 0, reachability: 'reachable' },
    },
  }
}

/** Only what the dashboard asks of a node; every change is refused. */
function nodeWith(mirror: StoreMirror, key: Buffer): LocalNode {
  const refused = () => Promise.reject(new MureError('unsupported', 'this cluster is only to be looked at'))
  const control = {
    view: mirror,
    accessKey: () => Promise.resolve(key),
    usage: () =>
      Promise.resolve({
        nodes: [...mirror.list('node')]
          .filter(({ status }) => status.state === 'ready')
          .map((node, place) => usageNow(mirror, node, place)),
      }),
    usageOf: () => Promise.resolve(anHour()),
    explain: () => ({ notes: [], nodes: [] }),
    ingress: () => ingressStateOf(mirror, instant(Date.now())),
  } as unknown as Control
  return {
    info: () => ({
      state: 'active',
      nodeId: 'synthetic' as NodeId,
      nodeAddress: '127.0.0.1',
      isManager: true,
      isStale: false,
      error: '',
      remoteManagers: [],
    }),
    settled: () => Promise.resolve(),
    control: () => control,
    followView: (listener) => {
      listener(mirror)
      return { [Symbol.dispose]: () => undefined }
    },
    init: refused,
    join: refused,
    leave: refused,
    unlock: refused,
    attach: refused,
    detach: refused,
    placeOf: () => undefined,
    usage: () => undefined,
    backup: refused,
    restore: refused,
  }
}

/** Somewhere between idle and busy, the same in each run. */
function usageNow(mirror: StoreMirror, { meta, status }: Node, place: number): ClusterUsage['nodes'][number] {
  const { cpuNano = 0, memoryBytes = 0 } = status.description?.resources ?? {}
  const share = 0.15 + ((place * 37) % 60) / 100
  return {
    nodeId: meta.id,
    at: instant(Date.now()),
    cpu: (cpuNano / 1e9) * share,
    memoryBytes: memoryBytes * (0.25 + ((place * 23) % 50) / 100),
    tasks: [...mirror.tasksOfNode(meta.id)].map(({ meta: task }, i) => ({
      taskId: task.id,
      cpu: 0.02 * (1 + (i % 7)),
      memoryBytes: 24 * 2 ** 20 * (1 + (i % 5)),
    })),
  }
}

function anHour(): UsagePoint[] {
  const random = seededRandom(7)
  const now = Date.now()
  return Array.from({ length: 360 }, (_, i) => ({
    at: instant(now - (359 - i) * 10_000),
    cpu: 0.8 + Math.sin(i / 28) * 0.45 + random.below(100) / 400 + (i > 250 && i < 275 ? 1.1 : 0),
    memoryBytes: (2.1 + i / 900 + random.below(100) / 1_500) * 2 ** 30,
  }))
}
