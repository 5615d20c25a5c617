import { MureError } from '#lib/errors.ts'
import type { ServiceId } from '#model/id.ts'
import type { NetworkAttachmentSpec, Service, ServiceSpec } from '#model/service.ts'
import { containersOf } from '#model/secret-use.ts'
import { refuse } from '#model/validate/problem.ts'
import { serviceProblems } from '#model/validate/service.ts'
import type { View } from '#store/mirror/view.ts'
import type { WriteOptions } from './control.ts'
import { grpcText } from './grpc-text.ts'
import type { ObjectWriter } from './objects.ts'

export async function createService(
  writer: ObjectWriter,
  spec: ServiceSpec,
  options: WriteOptions,
): Promise<Service> {
  const resolved = checked(writer.mirror, spec)
  const now = writer.clock.now()
  return writer.create(
    {
      kind: 'service',
      meta: writer.newMeta<ServiceId>(spec.name, spec.labels, options),
      spec: resolved,
      status: isJob(spec) ? { job: { iteration: 0, lastExecutionAt: now } } : {},
    },
    options.wait,
  )
}

export function updateService(
  writer: ObjectWriter,
  id: ServiceId,
  version: number,
  spec: ServiceSpec,
  options: WriteOptions,
): Promise<Service> {
  const resolved = checked(writer.mirror, spec, id)
  return writer.change('service', id, version, options, (service) => {
    if (service.spec.name !== spec.name) throw unimplemented('renaming services is not supported')
    if (service.spec.mode.type !== spec.mode.type) throw unimplemented('service mode change is not allowed')
    return changed(writer, service, resolved, options)
  })
}

export function rollbackService(
  writer: ObjectWriter,
  id: ServiceId,
  version: number,
  options: WriteOptions,
): Promise<Service> {
  return writer.change('service', id, version, options, (service) => {
    const { previousSpec } = service.status
    if (previousSpec === undefined) {
      throw new MureError(
        'precondition',
        grpcText('FailedPrecondition', `service ${id} does not have a previous spec`),
        {
          details: { status: 400 },
        },
      )
    }
    const now = writer.clock.now()
    const next = changed(writer, service, previousSpec, options)
    return {
      ...next,
      status: {
        ...next.status,
        update: { state: 'rollback_started', startedAt: now, message: 'manually requested rollback' },
      },
    }
  })
}

function changed(writer: ObjectWriter, service: Service, spec: ServiceSpec, options: WriteOptions): Service {
  // An update in progress is over: what is to be done follows from the new spec.
  const { update: _, ...status } = service.status
  const job = status.job
  const rerun = job !== undefined && spec.template.forceUpdate !== service.spec.template.forceUpdate
  return {
    ...service,
    meta: writer.nextMeta(service.meta, spec.labels, options),
    spec,
    status: {
      ...status,
      previousSpec: service.spec,
      previousGeneration: service.meta.generation,
      ...(rerun ? { job: { iteration: job.iteration + 1, lastExecutionAt: writer.clock.now() } } : {}),
    },
  }
}

const isJob = (spec: ServiceSpec): boolean => spec.mode.type.endsWith('-job')

const unimplemented = (text: string) =>
  new MureError('unsupported', grpcText('Unimplemented', text), { details: { status: 501 } })

/** The spec with networks by id; refused where it is wrong or names what is not there. */
function checked(view: View, spec: ServiceSpec, id?: ServiceId): ServiceSpec {
  refuse(serviceProblems(spec))
  refuseTakenPorts(view, spec, id)
  for (const container of containersOf(spec)) {
    for (const { secretId, secretName } of container.secrets ?? []) {
      if (view.get('secret', secretId)?.spec.name !== secretName)
        throw new MureError('invalid', grpcText('InvalidArgument', `secret not found: ${secretName}`))
    }
    for (const { configId, configName } of container.configs ?? []) {
      if (view.get('config', configId)?.spec.name !== configName)
        throw new MureError('invalid', grpcText('InvalidArgument', `config not found: ${configName}`))
    }
  }
  const networks = spec.template.networks?.map((network) => resolveNetwork(view, network))
  return networks === undefined ? spec : { ...spec, template: { ...spec.template, networks } }
}

function resolveNetwork(view: View, network: NetworkAttachmentSpec): NetworkAttachmentSpec {
  const found = view.get('network', network.target) ?? view.byName('network', network.target)
  if (found === undefined) throw new MureError('not-found', `network ${network.target} not found`)
  if (found.spec.ingress)
    throw new MureError(
      'invalid',
      grpcText('InvalidArgument', 'Service cannot be explicitly attached to the ingress network "ingress"'),
    )
  return { ...network, target: found.meta.id }
}

/** A port of the mesh belongs to one service; said before anything is stored. */
function refuseTakenPorts(view: View, spec: ServiceSpec, id: ServiceId | undefined): void {
  const wanted = (spec.endpoint?.ports ?? []).filter((port) => (port.publishedPort ?? 0) > 0)
  if (wanted.length === 0) return
  for (const other of view.list('service')) {
    if (other.meta.id === id) continue
    for (const taken of other.status.endpoint?.ports ?? other.spec.endpoint?.ports ?? []) {
      const clash = wanted.find(
        (port) => port.publishedPort === taken.publishedPort && port.protocol === taken.protocol,
      )
      if (clash === undefined || (clash.publishMode === 'host' && taken.publishMode === 'host')) continue
      throw new MureError(
        'invalid',
        grpcText(
          'InvalidArgument',
          `port '${String(clash.publishedPort)}' is already in use by service '${other.spec.name}' (${other.meta.id}) as ${taken.publishMode === 'ingress' ? 'an ingress' : 'a host-published'} port`,
        ),
      )
    }
  }
}
