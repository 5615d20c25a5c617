import type { Labels } from '../meta.ts'
import type { PortSpec, ServiceSpec, TaskTemplate } from '../service.ts'
import { caddy } from './conventions/caddy.ts'
import { dockerFlow } from './conventions/docker-flow.ts'
import { mureLabels } from './conventions/mure.ts'
import { traefikOne } from './conventions/traefik-one.ts'
import { traefik } from './conventions/traefik.ts'
import { virtualHost } from './conventions/virtual-host.ts'
import type { Convention, Declared } from './declaration.ts'

/** The first that a service uses counts; ours before those of the tools that people come from. */
const conventions: readonly Convention[] = [mureLabels, traefik, traefikOne, caddy, dockerFlow, virtualHost]

const nothing: Declared = { declarations: [], problems: [] }

/** What a service asks of the ingress, by its labels and its environment. */
export function declaredBy(labels: Labels, template: TaskTemplate, ports: readonly PortSpec[]): Declared {
  const container = template.containers[0]
  if (container === undefined) return nothing
  // Labels of the containers count too: most of those tools read them.
  const facts = {
    labels: { ...container.labels, ...labels },
    environment: environmentOf(container.env ?? []),
    defaultPort: onlyPort(ports) ?? 80,
  }
  for (const convention of conventions) {
    const found = convention(facts)
    // All or none: where one route is not understood, another of the service may lead past what was to guard it.
    if (found !== undefined) return found.problems.length > 0 ? { ...found, declarations: [] } : found
  }
  return nothing
}

const known = new WeakMap<ServiceSpec, Declared>()

/** Of a service; asked often, and answered anew only for a spec that is new. */
export function declaredOf(spec: ServiceSpec): Declared {
  let declared = known.get(spec)
  if (declared === undefined)
    known.set(spec, (declared = declaredBy(spec.labels, spec.template, spec.endpoint?.ports ?? [])))
  return declared
}

const routed = new WeakMap<TaskTemplate, WeakMap<Labels, boolean>>()

/** Whether tasks of such a service must be where the ingress can reach them: on the routing mesh's network. */
export function isRouted(labels: Labels, template: TaskTemplate): boolean {
  let row = routed.get(template)
  if (row === undefined) routed.set(template, (row = new WeakMap()))
  let is = row.get(labels)
  if (is === undefined) row.set(labels, (is = declaredBy(labels, template, []).declarations.length > 0))
  return is
}

function environmentOf(list: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    list.flatMap((entry) => {
      const at = entry.indexOf('=')
      return at < 0 ? [] : [[entry.slice(0, at), entry.slice(at + 1)]]
    }),
  )
}

function onlyPort(ports: readonly PortSpec[]): number | undefined {
  const tcp = ports.filter(({ protocol }) => protocol === 'tcp')
  return tcp.length === 1 ? tcp[0]?.targetPort : undefined
}
