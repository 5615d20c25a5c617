import type { Instant } from '#lib/clock.ts'
import { newestVersion, presentTemplate, versionsIn, withContent, withVersions } from '#model/file-version.ts'
import type { Config, Secret } from '#model/secret.ts'
import { isTerminal } from '#model/task-state.ts'
import type { Service, ServiceSpec, ServiceStatus } from '#model/service.ts'
import { differenceOf } from '#model/up-to-date.ts'
import type { View } from '#store/mirror/view.ts'

/** A deploy's calls follow one another within this. */
const oneDeployMs = 10_000

/** The object with the content of a spec that somebody sent; the same object where that is nothing new. */
export function withNewContent<T extends Secret | Config>(
  view: View,
  object: T,
  { data, templating }: T['spec'],
): T {
  const present = object.spec
  const isSame =
    data === present.data &&
    (templating?.name ?? '') === (present.templating?.name ?? '') &&
    JSON.stringify(templating?.options ?? {}) === JSON.stringify(present.templating?.options ?? {})
  if (isSame) return object
  const content = { data, ...(templating === undefined ? {} : { templating }) }
  return withContent(object, content, versionsInUse(view, object))
}

/** The versions that somebody goes by: services, those they may go back to, and tasks that are there. */
function versionsInUse(view: View, { meta: { id } }: Secret | Config): Set<number> {
  const used = new Set<number>()
  const note = (template: ServiceSpec['template'] | undefined) => {
    const version = template === undefined ? undefined : versionsIn(template).get(id)
    if (version !== undefined) used.add(version)
  }
  for (const { spec, status } of view.list('service')) {
    note(spec.template)
    note(status.previousSpec?.template)
  }
  for (const task of view.list('task'))
    if (!isTerminal(task.status.state)) {
      note(task.spec)
      note(presentTemplate(task))
    }
  return used
}

/** The services that use a secret or config and do not go by its newest version, so that they do from now on. */
export function rotateServices(view: View, object: Secret | Config, now: Instant): Service[] {
  const { id } = object.meta
  const version = newestVersion(object)
  return [...view.list('service')].flatMap((service): Service[] => {
    const { template } = service.spec
    if ((versionsIn(template).get(id) ?? version) === version) return []
    const generation = service.meta.generation + 1
    const { update: _, ...status } = service.status
    return [
      {
        ...service,
        meta: { ...service.meta, generation, updatedAt: now },
        spec: {
          ...service.spec,
          template: withVersions(template, (named) => (named === id ? version : undefined)),
        },
        status: { ...status, ...previousOf(service, now), rotated: { generation, at: now } },
      },
    ]
  })
}

/**
 * What a service that is about to change goes back to: its present spec, unless that is of a rotation which is still
 * under way. Then it is the one before, so that spec and secrets go back together.
 */
export function previousOf(
  service: Service,
  now: Instant,
): Pick<ServiceStatus, 'previousSpec' | 'previousGeneration'> {
  const { rotated, update, previousSpec, previousGeneration } = service.status
  const isUnderWay =
    rotated?.generation === service.meta.generation &&
    (update === undefined ? now - rotated.at < oneDeployMs : update.state !== 'completed')
  if (isUnderWay && previousSpec !== undefined && previousGeneration !== undefined)
    return { previousSpec, previousGeneration }
  return { previousSpec: service.spec, previousGeneration: service.meta.generation }
}

/** The spec with the newest version of each secret and config. */
export const withNewestFiles = (view: View, spec: ServiceSpec): ServiceSpec => ({
  ...spec,
  template: withVersions(spec.template, (id) => {
    const object = view.get('secret', id) ?? view.get('config', id)
    return object === undefined ? undefined : newestVersion(object)
  }),
})

/**
 * A service that has gone back to an earlier version stays with it as long as its tasks stay: to scale it replaces
 * none. A change that makes new tasks anyway makes them with the newest.
 */
export function withFilesFor(view: View, service: Service, spec: ServiceSpec): ServiceSpec {
  const present = versionsIn(service.spec.template)
  const newest = withNewestFiles(view, spec)
  const template = withVersions(newest.template, (id) => present.get(id))
  const difference = differenceOf(service.spec.template, template)
  return difference === 'other' ? newest : { ...spec, template }
}
