import type { ClusterNetworking, ClusterSpec } from './cluster.ts'
import type { RestartPolicy, UpdatePolicy } from './service.ts'

/**
 * Defaults are applied where a value is used, never written into a spec: what a person did not say is not
 * given back as if they had.
 * @see https://docs.docker.com/reference/cli/docker/service/create/
 */
export const restartDefaults: Required<RestartPolicy> = {
  condition: 'any',
  delayMs: 5_000,
  maxAttempts: 0,
  windowMs: 0,
}

export const updateDefaults: Required<UpdatePolicy> = {
  parallelism: 1,
  delayMs: 0,
  failureAction: 'pause',
  monitorMs: 5_000,
  maxFailureRatio: 0,
  order: 'stop-first',
}

export const effectiveRestart = (policy: RestartPolicy | undefined): Required<RestartPolicy> => ({
  ...restartDefaults,
  ...policy,
})

export const effectiveUpdate = (policy: UpdatePolicy | undefined): Required<UpdatePolicy> => ({
  ...updateDefaults,
  ...policy,
})

export const stopGracePeriodDefaultMs = 10_000

export const clusterDefaults = {
  taskHistoryLimit: 5,
  /** A sign of life each second, so that a dead host is known in seconds (Swarm: five). */
  heartbeatMs: 1_000,
  certificateExpiryMs: 90 * 24 * 3_600_000,
  strategy: 'spread',
  drainOrder: 'start-first',
} as const

export const networkingDefaults: ClusterNetworking = {
  defaultAddressPool: ['10.0.0.0/8'],
  subnetSize: 20,
  dataPathPort: 4789,
}

export const heartbeatMs = (spec: ClusterSpec): number =>
  spec.dispatcher?.heartbeatMs ?? clusterDefaults.heartbeatMs
export const taskHistoryLimit = (spec: ClusterSpec): number =>
  spec.orchestration?.taskHistoryLimit ?? clusterDefaults.taskHistoryLimit
export const certificateExpiryMs = (spec: ClusterSpec): number =>
  spec.ca?.certificateExpiryMs ?? clusterDefaults.certificateExpiryMs
