import { asObject, asText, isSet, tooOld } from './json.ts'
import type { JsonObject } from './json.ts'

/**
 * 1.44: an endpoint's own `MacAddress`, and several endpoints at creation. An older engine takes one endpoint, and
 * the address of the container's main network beside it. Changes `body` so, and gives the endpoints that are to be
 * connected once the container exists.
 */
export function splitEndpoints(body: JsonObject): [network: string, endpoint: JsonObject][] {
  const networking = asObject(body['NetworkingConfig'])
  const endpoints = Object.entries(asObject(networking?.['EndpointsConfig']) ?? {})
  const main = mainNetwork(asObject(body['HostConfig']), endpoints)
  const later: [string, JsonObject][] = []
  for (const [network, value] of endpoints) {
    const endpoint = asObject(value) ?? {}
    const address = asText(endpoint['MacAddress'])
    if (network !== main) {
      if (address !== '') throw tooOld('mac-address', '1.44')
      later.push([network, endpoint])
    } else if (address !== '') {
      body['MacAddress'] = address
      delete endpoint['MacAddress']
    }
  }
  if (networking !== undefined && later.length > 0)
    networking['EndpointsConfig'] = Object.fromEntries(endpoints.filter(([network]) => network === main))
  return later
}

/** Of several, the one that the network mode names; an older engine allows only one anyway. */
function mainNetwork(
  hostConfig: JsonObject | undefined,
  endpoints: readonly [string, unknown][],
): string | undefined {
  const mode = asText(hostConfig?.['NetworkMode'])
  const names = endpoints.map(([network]) => network)
  if (names.includes(mode)) return mode
  const isDefault = mode === '' || mode === 'default'
  if (isDefault && names.includes('bridge')) return 'bridge'
  return isDefault && names.includes('default') ? 'default' : names.length === 1 ? names[0] : undefined
}

/** 1.44 for `POST /networks/{id}/connect`. */
export function refuseEndpointAddress(body: JsonObject | undefined): void {
  if (isSet(asObject(body?.['EndpointConfig'])?.['MacAddress'])) throw tooOld('mac-address', '1.44')
}

/** 1.46: kernel settings of one interface, among the options for its driver. */
export function refuseEndpointSysctls(endpoint: JsonObject | undefined): void {
  if ('com.docker.network.endpoint.sysctls' in (asObject(endpoint?.['DriverOpts']) ?? {}))
    throw tooOld('com.docker.network.endpoint.sysctls', '1.46')
}

/**
 * 1.45: `Aliases` are those that were asked for, and `DNSNames` all that the container is found by. An older engine
 * puts the beginning of the container's id among the aliases.
 */
export function withDnsNames(container: unknown): unknown {
  const shown = asObject(container)
  const settings = asObject(shown?.['NetworkSettings'])
  const networks = asObject(settings?.['Networks'])
  if (shown === undefined || networks === undefined) return container
  const shortId = asText(shown['Id']).slice(0, 12)
  const name = asText(shown['Name']).replace(/^\//, '')
  const hostname = asText(asObject(shown['Config'])?.['Hostname'])
  const changed = Object.entries(networks).map(([network, value]) => {
    const endpoint = asObject(value)
    const all: unknown = endpoint?.['Aliases']
    if (!Array.isArray(all)) return [network, { ...endpoint, DNSNames: null }]
    const aliases = all.map(asText).filter((alias) => alias !== shortId)
    const DNSNames = [...new Set([name, ...aliases, shortId, hostname])].filter((text) => text !== '')
    return [network, { ...endpoint, Aliases: aliases.length === 0 ? null : aliases, DNSNames }]
  })
  return { ...shown, NetworkSettings: { ...settings, Networks: Object.fromEntries(changed) as JsonObject } }
}
