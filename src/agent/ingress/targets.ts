import type { DataPlaneMember } from '#model/data-plane.ts'
import type { IngressRoute } from '#model/ingress/routes.ts'

/** The addresses that new requests may go to, by service: of tasks that run, are healthy, and are not about to stop. */
export function targetsByService(members: Iterable<DataPlaneMember>): Map<string, string[]> {
  const targets = new Map<string, string[]>()
  for (const { serviceId, isServing, addresses } of members) {
    const address = addresses.find((one) => one.includes('.'))
    if (serviceId === '' || !isServing || address === undefined) continue
    const known = targets.get(serviceId)
    if (known === undefined) targets.set(serviceId, [address])
    else known.push(address)
  }
  return targets
}

export const targetsOf = (
  targets: ReadonlyMap<string, readonly string[]>,
  route: IngressRoute,
): Set<string> => new Set(targets.get(route.serviceId))
