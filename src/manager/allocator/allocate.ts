import { MureError } from '#lib/errors.ts'
import type { PortProtocol, PortSpec, Service } from '#model/service.ts'

/** Where published ports are taken from when nobody asked for one. Swarm's range. */
const firstPort = 30_000
const lastPort = 32_767

/** Ports of the mesh that are taken, over all services. */
export class PortPool {
  readonly #taken = new Map<string, string>()

  constructor(services: Iterable<Service>) {
    for (const service of services) this.take(service)
  }

  take(service: Service): void {
    for (const port of service.status.endpoint?.ports ?? [])
      if (port.publishMode === 'ingress')
        this.#taken.set(key(port.protocol, port.publishedPort ?? 0), service.meta.id)
  }

  release(service: Service): void {
    for (const port of service.status.endpoint?.ports ?? []) {
      const name = key(port.protocol, port.publishedPort ?? 0)
      if (this.#taken.get(name) === service.meta.id) this.#taken.delete(name)
    }
  }

  /** A free port; `exhausted` when there is none left. */
  free(protocol: PortProtocol, besides: ReadonlySet<string>): number {
    for (let port = firstPort; port <= lastPort; port++) {
      const name = key(protocol, port)
      if (!this.#taken.has(name) && !besides.has(name)) return port
    }
    throw new MureError(
      'exhausted',
      `no free ${protocol} port is left between ${String(firstPort)} and ${String(lastPort)}`,
    )
  }
}

const key = (protocol: PortProtocol, port: number): string => `${String(port)}/${protocol}`

/**
 * The service with its endpoint as its spec wants it, or the service itself where that is so already. A port that
 * was chosen once stays while the spec still asks for "any".
 */
export function allocateEndpoint(service: Service, pool: PortPool): Service {
  const spec = service.spec.endpoint ?? {}
  const present = service.status.endpoint
  const wanted = spec.ports ?? []
  if (present !== undefined && JSON.stringify(present.spec) === JSON.stringify(spec)) return service
  if (present === undefined && wanted.length === 0) return service
  const chosen = new Set<string>()
  const ports = wanted.map((port): PortSpec => {
    if (port.publishMode === 'host' || (port.publishedPort ?? 0) > 0) return port
    const before = present?.ports.find(
      (old) =>
        old.targetPort === port.targetPort && old.protocol === port.protocol && old.publishMode === 'ingress',
    )
    const publishedPort = before?.publishedPort ?? pool.free(port.protocol, chosen)
    chosen.add(key(port.protocol, publishedPort))
    return { ...port, publishedPort }
  })
  return {
    ...service,
    status: {
      ...service.status,
      endpoint: { spec, ports, virtualAddresses: present?.virtualAddresses ?? [] },
    },
  }
}
