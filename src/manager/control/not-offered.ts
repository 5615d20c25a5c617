import { MureError } from '#lib/errors.ts'
import type { ServiceSpec } from '#model/service.ts'

/**
 * What a spec may ask for and Mure does not do yet. Refused with a sentence, since a service that runs without what
 * it was to have is worse than none.
 */
export function refuseNotOffered(spec: ServiceSpec): void {
  const reason = notOffered(spec)
  if (reason !== undefined) throw new MureError('unsupported', reason)
}

function notOffered(spec: ServiceSpec): string | undefined {
  if (spec.endpoint?.ports?.some((port) => port.publishMode === 'ingress') === true)
    return 'the routing mesh is not offered yet: publish ports with mode=host'
  if ((spec.template.networks ?? spec.networks ?? []).length > 0)
    return 'overlay networks are not offered yet: leave --network away'
  return undefined
}
