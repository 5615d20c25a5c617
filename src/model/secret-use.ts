import type { ContainerSpec } from './container.ts'
import type { ServiceSpec } from './service.ts'

export const containersOf = (spec: ServiceSpec): readonly ContainerSpec[] => [
  ...(spec.template.initContainers ?? []),
  ...spec.template.containers,
]

export const usesSecret = (spec: ServiceSpec, id: string): boolean =>
  containersOf(spec).some(
    (container) => container.secrets?.some((reference) => reference.secretId === id) === true,
  )

export const usesConfig = (spec: ServiceSpec, id: string): boolean =>
  containersOf(spec).some(
    (container) => container.configs?.some((reference) => reference.configId === id) === true,
  )

export const usesNetwork = (spec: ServiceSpec, id: string, name: string): boolean =>
  [...(spec.template.networks ?? []), ...(spec.networks ?? [])].some(
    (network) => network.target === id || network.target === name,
  )

/** It publishes something through the routing mesh. */
export const needsIngress = (spec: ServiceSpec): boolean =>
  (spec.endpoint?.ports ?? []).some((port) => port.publishMode === 'ingress')
