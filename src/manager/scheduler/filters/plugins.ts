import type { Task } from '#model/task.ts'
import type { NodeInfo } from '../node-info.ts'
import { onNodes } from './filter.ts'
import type { Filter } from './filter.ts'

/** Volume and log drivers that the task names. A node that lists no log drivers at all is not asked for one. */
export const plugins: Filter = {
  name: 'plugins',
  dependsOn: (task) => [volumeDriversOf(task), task.spec.logDriver?.name],
  prepare(task) {
    const volumes = volumeDriversOf(task)
    const log = task.spec.logDriver?.name ?? ''
    const needsLog = log !== '' && log !== 'none'
    if (volumes.length === 0 && !needsLog) return undefined
    return (info) =>
      volumes.every((name) => has(info, 'Volume', name)) &&
      (!needsLog || !hasAny(info, 'Log') || has(info, 'Log', log))
  },
  detail: (info, task) =>
    [...volumeDriversOf(task), task.spec.logDriver?.name ?? '']
      .filter((name) => name !== '' && !has(info, 'Volume', name) && !has(info, 'Log', name))
      .join(', '),
  explain: (nodes) => `missing plugin on ${onNodes(nodes)}`,
}

const volumeDriversOf = (task: Task): string[] =>
  task.spec.containers
    .flatMap((container) => (container.mounts ?? []).map((mount) => mount.volume?.driver?.name ?? ''))
    .filter((name) => name !== '' && name !== 'local')

const pluginsOf = (info: NodeInfo) => info.node.status.description?.engine.plugins ?? []

const hasAny = (info: NodeInfo, type: string): boolean =>
  pluginsOf(info).some((plugin) => plugin.type === type)

const has = (info: NodeInfo, type: string, name: string): boolean =>
  pluginsOf(info).some(
    (plugin) => plugin.type === type && (plugin.name === name || plugin.name === `${name}:latest`),
  )
