import type { ServiceId } from '../id.ts'
import type { Service } from '../service.ts'
import type { IngressDeclaration, IngressMatch } from './declaration.ts'
import { declaredOf } from './declared.ts'

/** A declaration in force. `id`: unique, and of letters that HAProxy takes for a name. */
export interface IngressRoute extends IngressDeclaration {
  readonly id: string
  readonly serviceId: ServiceId
  readonly serviceName: string
}

/** What a service asked for and does not get, and why. */
export interface IngressProblem {
  readonly serviceId: ServiceId
  readonly serviceName: string
  readonly message: string
}

export interface IngressRoutes {
  readonly routes: readonly IngressRoute[]
  readonly problems: readonly IngressProblem[]
}

/**
 * The routes of all services. Of two that claim one host and path the older keeps it, and the other is told: a
 * service that comes later takes nothing away from one that works.
 */
export function routesOf(services: Iterable<Service>): IngressRoutes {
  const routes: IngressRoute[] = []
  const problems: IngressProblem[] = []
  const owners = new Map<string, Service>()
  for (const service of [...services].sort(byAge)) {
    if (service.status.removing === true) continue
    const { id: serviceId } = service.meta
    const { name: serviceName } = service.spec
    const declared = declaredOf(service.spec)
    for (const message of declared.problems) problems.push({ serviceId, serviceName, message })
    declared.declarations.forEach((declaration, index) => {
      const matches: IngressMatch[] = []
      for (const match of declaration.matches) {
        const owner = owners.get(keyOf(match))
        if (owner === undefined) {
          owners.set(keyOf(match), service)
          matches.push(match)
        } else if (owner !== service) {
          const message = `${describeMatch(match)} is already served by service ${owner.spec.name}`
          problems.push({ serviceId, serviceName, message })
        }
      }
      const id = `${idOf(service)}:${String(declaration.port)}${index === 0 ? '' : `:${String(index)}`}`
      if (matches.length > 0) routes.push({ ...declaration, matches, id, serviceId, serviceName })
    })
  }
  return { routes, problems }
}

/** How a match is looked up: a host has no slash and a path begins with one, so no two are mistaken for each other. */
export const keyOf = ({ host, path }: IngressMatch): string => `${host}${path}`

export const describeMatch = ({ host, path }: IngressMatch): string =>
  `${host === '*' ? 'any host' : host}${path === '/' ? '' : path}`

/** A service's name is what a person looks for in logs and statistics; it is unique, and what is odd in it is not used. */
const idOf = ({ meta, spec }: Service): string =>
  /^[A-Za-z0-9_.-]{1,100}$/.test(spec.name) ? spec.name : meta.id

const byAge = (a: Service, b: Service): number =>
  a.meta.createdAt - b.meta.createdAt || (a.meta.id < b.meta.id ? -1 : 1)
