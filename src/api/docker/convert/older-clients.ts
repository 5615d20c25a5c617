import type { ContainerSpec, Privileges } from '#model/container.ts'
import type { ServiceSpec, TaskTemplate } from '#model/service.ts'
import { isOlder } from '../versions.ts'

/**
 * A spec without what its client's version of the API does not have: such a member stands there by chance.
 * @see moby api/server/router/swarm/helpers.go, adjustForAPIVersion
 */
export function asKnownTo(version: string, spec: ServiceSpec): ServiceSpec {
  let known = spec
  if (isOlder(version, '1.41'))
    known = { ...known, ...withoutJobs(known), template: before41(known.template) }
  if (isOlder(version, '1.40')) known = { ...known, template: before40(known.template) }
  return known
}

/** A service of no mode is a replicated one. */
const withoutJobs = ({ mode }: ServiceSpec): Pick<ServiceSpec, 'mode'> =>
  mode.type === 'replicated-job' || mode.type === 'global-job' ? { mode: { type: 'replicated' } } : { mode }

function before41(template: TaskTemplate): TaskTemplate {
  const containers = template.containers.map((container): ContainerSpec => {
    const { capabilityAdd: _add, capabilityDrop: _drop, ulimits: _ulimits, ...rest } = container
    return rest
  })
  const { resources } = template
  if (resources?.limits === undefined) return { ...template, containers }
  const { pids: _pids, ...limits } = resources.limits
  return { ...template, containers, resources: { ...resources, limits } }
}

function before40(template: TaskTemplate): TaskTemplate {
  const containers = template.containers.map(({ sysctls: _sysctls, ...container }): ContainerSpec => ({
    ...container,
    ...(container.configs === undefined
      ? {}
      : { configs: container.configs.map(({ runtime: _runtime, ...reference }) => reference) }),
    ...(container.privileges === undefined ? {} : { privileges: withoutConfig(container.privileges) }),
  }))
  if (template.placement === undefined) return { ...template, containers }
  const { maxReplicasPerNode: _max, ...placement } = template.placement
  return { ...template, containers, placement }
}

function withoutConfig(privileges: Privileges): Privileges {
  if (privileges.credentialSpec === undefined) return privileges
  const { config: _config, ...credentialSpec } = privileges.credentialSpec
  return { ...privileges, credentialSpec }
}
