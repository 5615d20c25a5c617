import { defined } from '#lib/defined.ts'
import { MureError } from '#lib/errors.ts'
import type { Driver, NetworkAttachmentSpec, Placement, RestartPolicy, TaskTemplate } from '#model/service.ts'
import { containerFromModel, containerToModel } from './container.ts'
import { nanoseconds, omitEmpty, oneOf } from './fields.ts'
import type { Fields } from './fields.ts'
import { resourcesFromModel, resourcesToModel } from './resources.ts'

/** Docker's `TaskSpec`: a pod of one container. */
export function templateToModel(from: Fields, registryAuth: string | undefined): TaskTemplate {
  const container = from.object('ContainerSpec')
  refuseOtherRuntimes(from.string('Runtime') ?? '', from)
  if (container === undefined) throw new MureError('invalid', mismatch)
  const restart = from.object('RestartPolicy')
  const placement = from.object('Placement')
  const resources = from.object('Resources')
  const logDriver = from.object('LogDriver')
  return defined({
    containers: [{ ...containerToModel(container), ...(registryAuth === undefined ? {} : { registryAuth }) }],
    resources: resources && resourcesToModel(resources),
    restart: restart && restartToModel(restart),
    placement: placement && placementToModel(placement),
    networks: from.objects('Networks', networkToModel),
    logDriver: logDriver && driverToModel(logDriver),
    forceUpdate: from.unsigned('ForceUpdate'),
  })
}

const mismatch = 'mismatched Runtime and *Spec fields'

function refuseOtherRuntimes(runtime: string, from: Fields): void {
  if (runtime === '' || runtime === 'container') return
  if (runtime !== 'plugin') throw new MureError('invalid', 'unsupported runtime')
  if (!from.has('PluginSpec')) throw new MureError('invalid', mismatch)
  throw new MureError(
    'unsupported',
    'services of plugins are not offered: Mure runs containers. Install the plugin on each host.',
    { details: { status: 400 } },
  )
}

export function templateFromModel(template: TaskTemplate): object {
  const container = template.containers[0]
  return defined({
    ContainerSpec: container && containerFromModel(container),
    Resources: template.resources && resourcesFromModel(template.resources),
    RestartPolicy: template.restart && restartFromModel(template.restart),
    Placement: template.placement && placementFromModel(template.placement),
    Networks: omitEmpty(template.networks?.map(networkFromModel)),
    LogDriver: template.logDriver && driverFromModel(template.logDriver),
    ForceUpdate: template.forceUpdate ?? 0,
  })
}

export function driverToModel(from: Fields): Driver {
  return defined({ name: from.string('Name') ?? '', options: from.stringMap('Options') })
}

export const driverFromModel = (driver: Driver): object =>
  defined({ Name: omitEmpty(driver.name), Options: omitEmpty(driver.options) })

export function networkToModel(from: Fields): NetworkAttachmentSpec {
  return defined({
    target: from.string('Target') ?? '',
    aliases: from.strings('Aliases'),
    driverOptions: from.stringMap('DriverOpts'),
  })
}

export const networkFromModel = (network: NetworkAttachmentSpec): object =>
  defined({
    Target: omitEmpty(network.target),
    Aliases: omitEmpty(network.aliases),
    DriverOpts: omitEmpty(network.driverOptions),
  })

const conditions = ['none', 'on-failure', 'any'] as const

function restartToModel(from: Fields): RestartPolicy {
  const condition = from.string('Condition')
  return defined({
    condition: oneOf(condition, conditions, `invalid RestartCondition: "${condition ?? ''}"`),
    delayMs: from.duration('Delay'),
    // Docker shows it always: a client that sends back what it read has changed nothing.
    maxAttempts: from.unsigned('MaxAttempts') ?? 0,
    windowMs: from.duration('Window'),
  })
}

const restartFromModel = (restart: RestartPolicy): object =>
  defined({
    Condition: restart.condition,
    Delay: nanoseconds(restart.delayMs),
    MaxAttempts: restart.maxAttempts ?? 0,
    Window: nanoseconds(restart.windowMs),
  })

function placementToModel(from: Fields): Placement {
  return defined({
    constraints: from.strings('Constraints'),
    preferences: from
      .objects('Preferences', (preference) => preference.object('Spread')?.string('SpreadDescriptor'))
      ?.filter((spread) => spread !== undefined)
      .map((spread) => ({ spread })),
    maxReplicasPerNode: from.unsigned('MaxReplicas'),
    platforms: from.objects('Platforms', (platform) =>
      defined({ architecture: platform.string('Architecture'), os: platform.string('OS') }),
    ),
  })
}

const placementFromModel = (placement: Placement): object =>
  defined({
    Constraints: omitEmpty(placement.constraints),
    Preferences: omitEmpty(
      placement.preferences?.map((preference) => ({ Spread: { SpreadDescriptor: preference.spread } })),
    ),
    MaxReplicas: omitEmpty(placement.maxReplicasPerNode),
    Platforms: omitEmpty(
      placement.platforms?.map((platform) =>
        defined({ Architecture: omitEmpty(platform.architecture), OS: omitEmpty(platform.os) }),
      ),
    ),
  })
