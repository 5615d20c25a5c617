import { instant } from '#lib/clock.ts'
import { seededRandom } from '#lib/random.ts'
import type { Cluster, ClusterSpec } from '../cluster.ts'
import { networkingDefaults } from '../defaults.ts'
import { newId } from '../id.ts'
import type { ObjectId } from '../id.ts'
import type { Meta } from '../meta.ts'
import type { Node, NodeSpec, NodeStatus } from '../node.ts'
import type { Service, ServiceSpec } from '../service.ts'
import type { Task } from '../task.ts'

/** Valid objects for tests; what is given replaces the default. */
const random = seededRandom(20_260_101)
export const testEpoch = instant(Date.UTC(2026, 0, 1))

function aMeta<T extends ObjectId>(name: string, id?: T): Meta<T> {
  return {
    id: id ?? newId<T>(random),
    name,
    version: 0,
    generation: 1,
    createdAt: testEpoch,
    updatedAt: testEpoch,
    labels: {},
  }
}

export function aService(
  options: Partial<Omit<ServiceSpec, 'mode'>> & {
    mode?: ServiceSpec['mode']
    replicas?: number
    image?: string
  } = {},
): Service {
  const { replicas, image, ...spec } = options
  const name = spec.name ?? 'web'
  return {
    kind: 'service',
    meta: aMeta(name),
    spec: {
      name,
      labels: {},
      template: { containers: [{ name: '', image: image ?? 'busybox' }] },
      mode: { type: 'replicated', replicas: replicas ?? 1 },
      ...spec,
    },
    status: {},
  }
}

export function aTask(
  options: Partial<Omit<Task, 'kind' | 'meta' | 'status'>> & { state?: Task['status']['state'] } = {},
): Task {
  const { state, ...rest } = options
  return {
    kind: 'task',
    meta: aMeta(''),
    spec: { containers: [{ name: '', image: 'busybox' }] },
    serviceId: '',
    serviceName: 'web',
    serviceLabels: {},
    serviceGeneration: 1,
    slot: 1,
    nodeId: '',
    desiredState: 'running',
    attachments: [],
    ports: [],
    status: { state: state ?? 'new', since: testEpoch, message: 'created', error: '', containers: [] },
    ...rest,
  }
}

export function aNode(
  options: Partial<NodeSpec> & {
    hostname?: string
    status?: Partial<NodeStatus>
    cpus?: number
    memoryBytes?: number
  } = {},
): Node {
  const { hostname = 'worker01', status, cpus = 4, memoryBytes = 8 * 2 ** 30, ...spec } = options
  return {
    kind: 'node',
    meta: aMeta(hostname),
    spec: { name: '', labels: {}, role: 'worker', availability: 'active', ...spec },
    status: {
      state: 'ready',
      message: '',
      address: '10.0.0.1',
      role: spec.role ?? 'worker',
      membership: 'accepted',
      publicKeyDigest: '',
      description: {
        hostname,
        platform: { architecture: 'x86_64', os: 'linux' },
        resources: { cpuNano: cpus * 1e9, memoryBytes },
        engine: { version: '20.10.24', labels: {}, plugins: [] },
        mureVersion: '0.1.0',
      },
      ...status,
    },
  }
}

export function aCluster(spec: ClusterSpec = {}): Cluster {
  return {
    kind: 'cluster',
    meta: aMeta('default'),
    spec,
    status: {
      networking: networkingDefaults,
      rootCa: { certificate: '', key: '', epoch: 0 },
      joinTokens: { worker: '', manager: '' },
    },
  }
}
