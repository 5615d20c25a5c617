import { arch } from 'node:os'
import type { Engine } from '#engine/engine.ts'
import type { EngineInfo } from '#engine/types.ts'
import { defined } from '#lib/defined.ts'
import type { NodeDescription } from '#model/node.ts'

const mureVersion = '0.1.0'

/** What the host and its engine are, as the engine tells it. */
export async function describeNode(
  engine: Engine,
  tls: NodeDescription['tls'],
  signal: AbortSignal,
): Promise<NodeDescription> {
  return toDescription(await engine.info({ signal }), tls)
}

export function toDescription(info: EngineInfo, tls: NodeDescription['tls']): NodeDescription {
  return defined({
    hostname: info.Name,
    platform: { architecture: info.Architecture || machineOf(arch()), os: info.OSType || 'linux' },
    resources: { cpuNano: info.NCPU * 1e9, memoryBytes: info.MemTotal },
    engine: {
      version: info.ServerVersion,
      labels: Object.fromEntries(
        (info.Labels ?? []).map((label): [string, string] => {
          const at = label.indexOf('=')
          return at < 0 ? [label, ''] : [label.slice(0, at), label.slice(at + 1)]
        }),
      ),
      plugins: Object.entries(info.Plugins)
        .flatMap(([type, names]) => (names ?? []).map((name) => ({ type, name })))
        .sort((a, b) => (a.type + a.name < b.type + b.name ? -1 : 1)),
    },
    mureVersion,
    tls,
  })
}

/** Node's name of a machine, as the kernel's. */
const machineOf = (name: string): string => (name === 'x64' ? 'x86_64' : name === 'arm64' ? 'aarch64' : name)
