import { defined } from '#lib/defined.ts'
import { MureError } from '#lib/errors.ts'
import { effectiveRestart, effectiveUpdate, stopGracePeriodDefaultMs } from '#model/defaults.ts'
import type {
  EndpointSpec,
  PortSpec,
  Service,
  ServiceMode,
  ServiceSpec,
  TaskTemplate,
  UpdatePolicy,
} from '#model/service.ts'
import { Fields, nanoseconds, omitEmpty, oneOf, timestamp } from './fields.ts'
import { metaFromModel } from './meta.ts'
import { networkFromModel, networkToModel, templateFromModel, templateToModel } from './template.ts'

/** Docker's `ServiceSpec`. */
export function serviceSpecToModel(body: unknown, registryAuth?: string): ServiceSpec {
  const from = new Fields(body, 'ServiceSpec')
  const update = from.object('UpdateConfig')
  const rollback = from.object('RollbackConfig')
  const endpoint = from.object('EndpointSpec')
  return defined({
    name: from.string('Name') ?? '',
    labels: from.stringMap('Labels') ?? {},
    template: templateOf(from.object('TaskTemplate') ?? new Fields({}, 'TaskTemplate'), registryAuth),
    mode: modeToModel(from.object('Mode')),
    update: update && policyToModel(update),
    rollback: rollback && policyToModel(rollback),
    endpoint: endpoint && endpointToModel(endpoint),
    networks: from.objects('Networks', networkToModel),
  })
}

/**
 * What can be said in several ways, as an empty list and none, is kept in the one that it is shown in: a client that
 * sends back what it read has changed nothing, and no task is replaced for it.
 */
function templateOf(from: Fields, registryAuth: string | undefined): TaskTemplate {
  const asShown = templateFromModel(templateToModel(from, undefined))
  return templateToModel(new Fields(asShown, 'TaskTemplate'), registryAuth)
}

export function serviceSpecFromModel(spec: ServiceSpec): object {
  return defined({
    Name: omitEmpty(spec.name),
    Labels: spec.labels,
    TaskTemplate: { ...templateFromModel(spec.template), Runtime: 'container' },
    Mode: modeFromModel(spec.mode),
    UpdateConfig: spec.update && policyFromModel(spec.update),
    RollbackConfig: spec.rollback && policyFromModel(spec.rollback),
    Networks: omitEmpty(spec.networks?.map(networkFromModel)),
    EndpointSpec: spec.endpoint && endpointFromModel(spec.endpoint),
  })
}

/** What `docker service ls` counts. */
export interface TaskCounts {
  readonly running: number
  readonly desired: number
  readonly completed: number
}

export function serviceFromModel(service: Service, counts?: TaskCounts, insertDefaults = false): object {
  const { status } = service
  const spec = insertDefaults ? withDefaults(service.spec) : service.spec
  return defined({
    ...metaFromModel(service.meta),
    Spec: serviceSpecFromModel(spec),
    PreviousSpec: status.previousSpec && serviceSpecFromModel(status.previousSpec),
    Endpoint: {
      Spec: status.endpoint === undefined ? {} : endpointFromModel(status.endpoint.spec),
      ...defined({
        Ports: omitEmpty(status.endpoint?.ports.map(portFromModel)),
        VirtualIPs: omitEmpty(
          status.endpoint?.virtualAddresses.map((address) => ({
            NetworkID: address.networkId,
            Addr: address.address,
          })),
        ),
      }),
    },
    UpdateStatus:
      status.update &&
      defined({
        State: status.update.state,
        StartedAt: status.update.startedAt && timestamp(status.update.startedAt),
        CompletedAt: status.update.completedAt && timestamp(status.update.completedAt),
        Message: omitEmpty(status.update.message),
      }),
    ServiceStatus: counts && {
      RunningTasks: counts.running,
      DesiredTasks: counts.desired,
      CompletedTasks: counts.completed,
    },
    JobStatus:
      status.job &&
      defined({
        JobIteration: defined({ Index: omitEmpty(status.job.iteration) }),
        LastExecution: timestamp(status.job.lastExecutionAt ?? service.meta.createdAt),
      }),
  })
}

/** What the service would do where its spec says nothing (`?insertDefaults=true`). */
function withDefaults(spec: ServiceSpec): ServiceSpec {
  return {
    ...spec,
    template: withTemplateDefaults(spec.template),
    update: effectiveUpdate(spec.update),
    rollback: effectiveUpdate(spec.rollback),
  }
}

function withTemplateDefaults(template: TaskTemplate): TaskTemplate {
  const { windowMs, ...restart } = effectiveRestart(template.restart)
  return {
    ...template,
    containers: template.containers.map((container) => ({
      stopGracePeriodMs: stopGracePeriodDefaultMs,
      dns: {},
      ...container,
    })),
    resources: template.resources ?? {},
    placement: template.placement ?? {},
    // No window is Docker's default, and it says nothing of it.
    restart: windowMs === 0 && template.restart?.windowMs === undefined ? restart : { ...restart, windowMs },
  }
}

function modeToModel(from: Fields | undefined): ServiceMode {
  const replicated = from?.object('Replicated')
  const job = from?.object('ReplicatedJob')
  const modes = ['Replicated', 'Global', 'ReplicatedJob', 'GlobalJob'].filter(
    (mode) => from?.has(mode) === true,
  )
  if (modes.length > 1) throw new MureError('invalid', 'must specify only one service mode')
  if (job !== undefined)
    return defined({
      type: 'replicated-job' as const,
      maxConcurrent: job.unsigned('MaxConcurrent'),
      totalCompletions: job.unsigned('TotalCompletions'),
    })
  if (from?.has('GlobalJob') === true) return { type: 'global-job' }
  if (from?.has('Global') === true) return { type: 'global' }
  return defined({ type: 'replicated' as const, replicas: replicated?.unsigned('Replicas') })
}

function modeFromModel(mode: ServiceMode): object {
  switch (mode.type) {
    case 'replicated':
      return { Replicated: { Replicas: mode.replicas ?? 1 } }
    case 'global':
      return { Global: {} }
    case 'replicated-job':
      return {
        ReplicatedJob: {
          MaxConcurrent: mode.maxConcurrent ?? 1,
          TotalCompletions: mode.totalCompletions ?? mode.maxConcurrent ?? 1,
        },
      }
    case 'global-job':
      return { GlobalJob: {} }
  }
}

const failureActions = ['pause', 'continue', 'rollback'] as const
const orders = ['stop-first', 'start-first'] as const

function policyToModel(from: Fields): UpdatePolicy {
  const action = from.string('FailureAction')
  const order = from.string('Order')
  return defined({
    parallelism: from.unsigned('Parallelism'),
    delayMs: from.duration('Delay'),
    failureAction: oneOf(action, failureActions, `unrecognized update failure action ${action ?? ''}`),
    monitorMs: from.duration('Monitor'),
    maxFailureRatio: from.number('MaxFailureRatio'),
    order: oneOf(order, orders, `unrecognized update order ${order ?? ''}`),
  })
}

const policyFromModel = (policy: UpdatePolicy): object =>
  defined({
    Parallelism: policy.parallelism ?? 0,
    Delay: omitEmpty(nanoseconds(policy.delayMs)),
    FailureAction: policy.failureAction ?? 'pause',
    Monitor: omitEmpty(nanoseconds(policy.monitorMs)),
    MaxFailureRatio: policy.maxFailureRatio ?? 0,
    Order: policy.order ?? 'stop-first',
  })

function endpointToModel(from: Fields): EndpointSpec {
  const mode = from.string('Mode')
  return defined({
    mode: oneOf(mode, ['vip', 'dnsrr'] as const, `invalid resolution mode: "${mode ?? ''}"`),
    ports: omitEmpty(from.objects('Ports', portToModel)),
  })
}

export const endpointFromModel = (endpoint: EndpointSpec): object =>
  defined({ Mode: endpoint.mode ?? 'vip', Ports: omitEmpty(endpoint.ports?.map(portFromModel)) })

function portToModel(from: Fields): PortSpec {
  const protocol = from.string('Protocol')
  const mode = from.string('PublishMode')
  return defined({
    name: from.string('Name'),
    protocol:
      oneOf(protocol, ['tcp', 'udp', 'sctp'] as const, `invalid protocol: "${protocol ?? ''}"`) ?? 'tcp',
    targetPort: from.unsigned('TargetPort', 32) ?? 0,
    publishedPort: from.unsigned('PublishedPort', 32),
    publishMode:
      oneOf(mode, ['ingress', 'host'] as const, `invalid publish mode: "${mode ?? ''}"`) ?? 'ingress',
  })
}

export const portFromModel = (port: PortSpec): object =>
  defined({
    Name: omitEmpty(port.name),
    Protocol: port.protocol,
    TargetPort: port.targetPort,
    PublishedPort: omitEmpty(port.publishedPort),
    PublishMode: port.publishMode,
  })
