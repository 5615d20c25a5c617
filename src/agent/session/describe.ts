import { arch, cpus, hostname, totalmem } from 'node:os'
import type { EngineEvent, EngineInfo } from '#engine/types.ts'
import { defined } from '#lib/defined.ts'
import type { NodeDescription } from '#model/node.ts'
import type { GenericResource } from '#model/resources.ts'

export const mureVersion = '0.1.0'

/** What the host and its engine are, as the engine tells it and Swarm shows it. */
export function descriptionOf(info: EngineInfo, tls: NodeDescription['tls']): NodeDescription {
  const generic = (info.GenericResources ?? []).flatMap(genericOf)
  return defined({
    hostname: info.Name,
    platform: { architecture: info.Architecture || machineOf(arch()), os: info.OSType || 'linux' },
    resources: {
      cpuNano: info.NCPU * 1e9,
      memoryBytes: info.MemTotal,
      ...(generic.length === 0 ? {} : { generic }),
    },
    engine: {
      version: info.ServerVersion,
      labels: Object.fromEntries((info.Labels ?? []).flatMap(labelOf)),
      plugins: pluginsOf(info),
    },
    mureVersion,
    tls,
  })
}

/** The host alone, before its engine has ever answered. */
export const hostDescription = (tls: NodeDescription['tls']): NodeDescription =>
  defined({
    hostname: hostname(),
    platform: { architecture: machineOf(arch()), os: 'linux' },
    resources: { cpuNano: cpus().length * 1e9, memoryBytes: totalmem() },
    engine: { version: '', labels: {}, plugins: [] },
    mureVersion,
    tls,
  })

/** The driver by which the engine asks us: what it does is listed as overlay networks. */
const ownDriver = /^mure-[0-9a-f]{8}$/

/** As Swarm lists them: by type, then name. Overlay networks are ours, whatever the engine has. */
function pluginsOf({ Plugins: plugins }: EngineInfo): NodeDescription['engine']['plugins'] {
  const found = Object.entries(plugins).flatMap(([type, names]) =>
    [...new Set([...(names ?? []), ...(type === 'Network' ? ['overlay'] : [])])]
      .filter((name) => !ownDriver.test(name))
      .map((name) => ({ type, name })),
  )
  return found.sort((a, b) => compare(a.type, b.type) || compare(a.name, b.name))
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** An engine label without a value is none to Swarm. */
function labelOf(label: string): [string, string][] {
  const at = label.indexOf('=')
  return at < 0 ? [] : [[label.slice(0, at), label.slice(at + 1)]]
}

/** `node-generic-resources` of the engine's configuration. */
function genericOf(resource: unknown): GenericResource[] {
  const { NamedResourceSpec: named, DiscreteResourceSpec: discrete } = resource as {
    NamedResourceSpec?: { Kind: string; Value: string }
    DiscreteResourceSpec?: { Kind: string; Value: number }
  }
  if (named !== undefined) return [{ kind: named.Kind, value: named.Value }]
  return discrete === undefined ? [] : [{ kind: discrete.Kind, count: Number(discrete.Value) }]
}

/** The kernel's name of a machine, from Node's. */
const machineOf = (name: string): string => (name === 'x64' ? 'x86_64' : name === 'arm64' ? 'aarch64' : name)

/**
 * Whether the engine has a driver that the description lacks, or lost one: plugins of the old kind are found when
 * something first asks for them.
 */
export const changesPlugins = (event: EngineEvent, { engine }: NodeDescription): boolean =>
  event.Type === 'plugin' ||
  (event.Type === 'volume' &&
    event.Action === 'create' &&
    !engine.plugins.some(({ type, name }) => type === 'Volume' && name === event.Actor.Attributes['driver']))
