import { defined } from '#lib/defined.ts'
import { isNodeLocal } from '#model/network.ts'
import type { IpamRange, Network, NetworkSpec } from '#model/network.ts'
import { Fields, omitEmpty, timestamp } from './fields.ts'
import { metaFromModel } from './meta.ts'
import { driverFromModel } from './template.ts'

/** The body of `docker network create`. */
export function networkSpecToModel(body: unknown): NetworkSpec {
  const from = new Fields(body, 'NetworkCreateRequest')
  const ipam = from.object('IPAM')
  const options = ipam?.stringMap('Options')
  return defined({
    name: from.string('Name') ?? '',
    labels: from.stringMap('Labels') ?? {},
    driver: defined({
      name: omitEmpty(from.string('Driver')) ?? 'bridge',
      options: omitEmpty(from.stringMap('Options')),
    }),
    ipv6: from.boolean('EnableIPv6') ?? false,
    internal: from.boolean('Internal') ?? false,
    attachable: from.boolean('Attachable') ?? false,
    ingress: from.boolean('Ingress') ?? false,
    configFrom: omitEmpty(from.object('ConfigFrom')?.string('Network')),
    ipam: {
      driver: defined({ name: omitEmpty(ipam?.string('Driver')) ?? 'default', options: omitEmpty(options) }),
      ranges:
        ipam?.objects('Config', (range) =>
          defined({
            subnet: range.string('Subnet') ?? '',
            range: omitEmpty(range.string('IPRange')),
            gateway: omitEmpty(range.string('Gateway')),
            auxiliary: omitEmpty(range.stringMap('AuxiliaryAddresses')),
          }),
        ) ?? [],
    },
  })
}

const rangeFromModel = (range: IpamRange): object =>
  defined({
    Subnet: omitEmpty(range.subnet),
    IPRange: omitEmpty(range.range),
    Gateway: omitEmpty(range.gateway),
    AuxiliaryAddresses: range.auxiliary,
  })

/** A network as tasks and services show it. */
export function networkFromModel(network: Network): object {
  const { spec } = network
  return {
    ...metaFromModel(network.meta),
    Spec: defined({
      Name: spec.name,
      Labels: spec.labels,
      DriverConfiguration: {
        Name: spec.driver.name,
        ...defined({ Options: omitEmpty(spec.driver.options) }),
      },
      IPv6Enabled: omitEmpty(spec.ipv6),
      Internal: omitEmpty(spec.internal),
      Attachable: omitEmpty(spec.attachable),
      Ingress: omitEmpty(spec.ingress),
      IPAMOptions: defined({
        Driver: driverFromModel(spec.ipam.driver),
        Configs: omitEmpty(spec.ipam.ranges.map(rangeFromModel)),
      }),
      Scope: 'swarm',
    }),
    ...allocatedFromModel(network),
  }
}

/** What was chosen for a network: nothing, where that is for each host's engine. */
function allocatedFromModel(network: Network): object {
  const { spec, status } = network
  if (isNodeLocal(network)) return { DriverState: { Name: spec.driver.name } }
  return {
    DriverState: { Name: spec.driver.name, Options: driverOptions(network) },
    IPAMOptions: { Driver: driverFromModel(spec.ipam.driver), Configs: status.ranges.map(rangeFromModel) },
  }
}

const driverOptions = (network: Network): Record<string, string> => ({
  ...network.spec.driver.options,
  ...(network.status.vxlanId === undefined
    ? {}
    : { 'com.docker.network.driver.overlay.vxlanid_list': String(network.status.vxlanId) }),
})

/** Those that were given, and then, as with Docker, that addresses are handed out one after the other. */
const ipamOptions = ({ ipam }: NetworkSpec): Record<string, string> | null =>
  ipam.driver.options === undefined
    ? null
    : { 'com.docker.network.ipam.serial': 'true', ...ipam.driver.options }

/** As Docker says it of a network whose hosts' engines choose: nothing of what was asked for. */
const chosenFor = (network: Network): object =>
  isNodeLocal(network)
    ? { IPAM: { Driver: '', Options: null, Config: [] }, Options: null }
    : {
        IPAM: {
          Driver: network.spec.ipam.driver.name,
          Options: ipamOptions(network.spec),
          Config: network.status.ranges.map(rangeFromModel),
        },
        Options: driverOptions(network),
      }

/** A network as `docker network ls` and `inspect` show it. */
export function networkResourceFromModel(network: Network): object {
  const { spec } = network
  return {
    Name: spec.name,
    Id: network.meta.id,
    Created: timestamp(network.meta.createdAt),
    Scope: 'swarm',
    Driver: spec.driver.name,
    EnableIPv6: spec.ipv6,
    ...chosenFor(network),
    Internal: spec.internal,
    Attachable: spec.attachable,
    Ingress: spec.ingress,
    ConfigFrom: { Network: spec.configFrom ?? '' },
    ConfigOnly: false,
    Containers: null,
    // What was created without labels has none, which Docker tells from an empty list.
    Labels: spec.ingress ? spec.labels : (omitEmpty(spec.labels) ?? null),
  }
}

/** A network that each host has of its own, as services may be on it. */
export const hostsOwnResource = (name: string): object => ({
  Name: name,
  Id: name,
  Created: '0001-01-01T00:00:00Z',
  Scope: 'swarm',
  Driver: name,
  EnableIPv6: false,
  IPAM: { Driver: '', Options: null, Config: null },
  Internal: false,
  Attachable: false,
  Ingress: false,
  ConfigFrom: { Network: '' },
  ConfigOnly: false,
  Containers: null,
  Options: null,
  Labels: null,
})
