import { MureError } from '#lib/errors.ts'
import type { ServiceId } from '#model/id.ts'
import { isHostsOwn } from '#model/network.ts'
import type { NetworkAttachmentSpec, Service, ServiceSpec } from '#model/service.ts'
import { cronSpecOf } from '#model/cron/labels.ts'
import { randomName } from '#model/random-name.ts'
import { containersOf, needsIngress } from '#model/secret-use.ts'
import { refuse } from '#model/validate/problem.ts'
import { serviceProblems } from '#model/validate/service.ts'
import type { View } from '#store/mirror/view.ts'
import type { WriteOptions } from './control.ts'
import { requestedRun } from './cron.ts'
import { grpcText } from './grpc-text.ts'
import type { ObjectWriter } from './objects.ts'
import { previousOf, withFilesFor, withNewestFiles } from './rotation.ts'

export async function createService(
  writer: ObjectWriter,
  given: ServiceSpec,
  options: WriteOptions,
): Promise<Service> {
  const spec = given.name === '' ? { ...given, name: freeName(writer) } : given
  const resolved = withNewestFiles(writer.mirror, checked(writer.mirror, spec))
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

function freeName({ mirror, random }: ObjectWriter): string {
  for (let attempt = 0; ; attempt++) {
    const name = randomName(random, attempt)
    if (mirror.byName('service', name) === undefined) return name
  }
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
    return changed(writer, service, withFilesFor(writer.mirror, service, resolved), options)
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
    // What it names may have been removed since, or belong to another.
    const next = changed(writer, service, checked(writer.mirror, previousSpec, id), options)
    return {
      ...next,
      status: {
        ...next.status,
        previousSpec: service.spec,
        previousGeneration: service.meta.generation,
        update: { state: 'rollback_started', startedAt: now, message: 'manually requested rollback' },
      },
    }
  })
}

function changed(writer: ObjectWriter, service: Service, spec: ServiceSpec, options: WriteOptions): Service {
  // An update in progress is over: what is to be done follows from the new spec.
  const { update: _, ...status } = service.status
  const job = status.job
  const isForced = spec.template.forceUpdate !== service.spec.template.forceUpdate
  const isByClock = cronSpecOf(spec.labels) !== undefined
  const rerun = job !== undefined && isForced && !isByClock
  return {
    ...service,
    meta: writer.nextMeta(service.meta, spec.labels, options),
    spec,
    status: {
      ...status,
      ...previousOf(service, writer.clock.now()),
      ...(rerun ? { job: { iteration: job.iteration + 1, lastExecutionAt: writer.clock.now() } } : {}),
      // Of a service that runs by the clock, "service update --force" asks for a run now.
      ...(isByClock && isForced ? { cron: requestedRun(status.cron, writer.clock.now()) } : {}),
    },
  }
}

const isJob = (spec: ServiceSpec): boolean => spec.mode.type.endsWith('-job')

const unimplemented = (text: string) =>
  new MureError('unsupported', grpcText('Unimplemented', text), { details: { status: 501 } })

/** The spec with networks by id; refused where it is wrong or names what is not there. */
function checked(view: View, spec: ServiceSpec, id?: ServiceId): ServiceSpec {
  refuse(serviceProblems(spec), (text) => grpcText('InvalidArgument', text))
  refuseTakenPorts(view, spec, id)
  if (needsIngress(spec) && ![...view.list('network')].some((network) => network.spec.ingress))
    throw new MureError(
      'precondition',
      grpcText('FailedPrecondition', 'service needs ingress network, but no ingress network is present'),
      { details: { status: 400 } },
    )
  refuseMissingFiles(view, spec)
  const networks = spec.template.networks?.map((network) => resolveNetwork(view, network))
  return networks === undefined ? spec : { ...spec, template: { ...spec.template, networks } }
}

function refuseMissingFiles(view: View, spec: ServiceSpec): void {
  const containers = containersOf(spec)
  const missing = {
    secret: containers
      .flatMap(({ secrets = [] }) => secrets)
      .filter(({ secretId, secretName }) => view.get('secret', secretId)?.spec.name !== secretName)
      .map(({ secretName }) => secretName),
    config: containers
      .flatMap(({ configs = [] }) => configs)
      .filter(({ configId, configName }) => view.get('config', configId)?.spec.name !== configName)
      .map(({ configName }) => configName),
  }
  for (const kind of ['secret', 'config'] as const) {
    const names = missing[kind]
    if (names.length === 0) continue
    const text = `${kind}${names.length > 1 ? 's' : ''} not found: ${names.join(', ')}`
    throw new MureError('invalid', grpcText('InvalidArgument', text))
  }
}

function resolveNetwork(view: View, network: NetworkAttachmentSpec): NetworkAttachmentSpec {
  const found = view.get('network', network.target) ?? view.byName('network', network.target)
  if (found === undefined && isHostsOwn(network.target)) return network
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
