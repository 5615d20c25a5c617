import { startWait } from '#lib/wait.ts'
import { ok } from '../../http/response.ts'
import type { Router } from '../../http/router.ts'
import type { MureParts } from './index.ts'

const askTimeoutMs = 5_000

/** What nodes and their tasks use now, with their names: `mure top`. */
export function registerTopRoutes(router: Router, { node }: MureParts): void {
  router.add('GET', '/mure/v1/top', async ({ signal }) => {
    const control = node.control()
    const { view } = control
    using wait = startWait({ timeoutMs: askTimeoutMs, signal, what: 'samples' })
    const usage = new Map((await control.usage(wait)).nodes.map((one) => [one.nodeId, one]))
    const nodes = [...view.list('node')].map(({ meta, spec, status }) => ({
      id: meta.id,
      name: status.description?.hostname ?? meta.id,
      state: status.state,
      availability: spec.availability,
      role: status.manager?.leader === true ? 'leader' : status.role,
      cpus: (status.description?.resources.cpuNano ?? 0) / 1e9,
      memoryBytes: status.description?.resources.memoryBytes ?? 0,
      cpu: usage.get(meta.id)?.cpu,
      memory: usage.get(meta.id)?.memoryBytes,
    }))
    const used = new Map([...usage.values()].flatMap(({ tasks }) => tasks.map((task) => [task.taskId, task])))
    const tasks = [...view.list('task')]
      .filter(({ status, spec }) => status.state === 'running' && spec.runtime !== 'attachment')
      .map((task) => ({
        id: task.meta.id,
        name: task.slot > 0 ? `${task.serviceName}.${String(task.slot)}` : task.serviceName,
        node: view.get('node', task.nodeId)?.status.description?.hostname ?? task.nodeId,
        since: task.status.since,
        cpu: used.get(task.meta.id)?.cpu,
        memory: used.get(task.meta.id)?.memoryBytes,
      }))
    return ok({ nodes, tasks })
  })
}
