import type { PortProtocol, PortSpec, Service } from '#model/service.ts'

/** Where published ports are taken from when nobody asked for one. Swarm's range. */
const firstPort = 30_000
const lastPort = 32_767

type Ports = { readonly ports: readonly PortSpec[] } | { readonly problem: string }

/** Ports of the mesh that are taken, over all services. */
export class PortPool {
  readonly #takenBy = new Map<string, Service>()

  take(service: Service): void {
    for (const key of keysOf(service)) this.#takenBy.set(key, service)
  }

  release(service: Service): void {
    for (const key of keysOf(service))
      if (this.#takenBy.get(key)?.meta.id === service.meta.id) this.#takenBy.delete(key)
  }

  /**
   * The service's ports with a number for each. A port that was chosen once stays while the spec still asks for
   * "any". Two services may have asked for one port through two managers at once: the second is told here.
   */
  choose(service: Service): Ports {
    const before = service.status.endpoint?.ports ?? []
    const chosen = new Set<string>()
    const ports: PortSpec[] = []
    for (const port of service.spec.endpoint?.ports ?? []) {
      if (port.publishMode === 'host') {
        ports.push(port)
        continue
      }
      const wanted = port.publishedPort ?? 0
      const number = wanted > 0 ? wanted : (same(before, port) ?? this.#free(port.protocol, chosen))
      if (number === undefined)
        return {
          problem: `no free ${port.protocol} port is left between ${String(firstPort)} and ${String(lastPort)}`,
        }
      const holder = this.#takenBy.get(keyOf(port.protocol, number))
      if (holder !== undefined && holder.meta.id !== service.meta.id)
        return { problem: clash(number, holder) }
      chosen.add(keyOf(port.protocol, number))
      ports.push({ ...port, publishedPort: number })
    }
    return { ports }
  }

  #free(protocol: PortProtocol, besides: ReadonlySet<string>): number | undefined {
    for (let port = firstPort; port <= lastPort; port++) {
      const key = keyOf(protocol, port)
      if (!this.#takenBy.has(key) && !besides.has(key)) return port
    }
    return undefined
  }
}

const keyOf = (protocol: PortProtocol, port: number): string => `${String(port)}/${protocol}`

const keysOf = (service: Service): string[] =>
  (service.status.endpoint?.ports ?? [])
    .filter((port) => port.publishMode === 'ingress' && (port.publishedPort ?? 0) > 0)
    .map((port) => keyOf(port.protocol, port.publishedPort ?? 0))

const same = (before: readonly PortSpec[], port: PortSpec): number | undefined =>
  before.find(
    (old) =>
      old.publishMode === 'ingress' && old.targetPort === port.targetPort && old.protocol === port.protocol,
  )?.publishedPort

/** Docker's sentence. */
const clash = (port: number, holder: Service): string =>
  `port '${String(port)}' is already in use by service '${holder.spec.name}' (${holder.meta.id}) as an ingress port`
