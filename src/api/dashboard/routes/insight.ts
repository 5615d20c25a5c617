import { ok } from '../../http/response.ts'
import { startWait } from '#lib/wait.ts'
import type { LocalNode } from '../../backend.ts'
import type { ExplainAnswer, IngressAnswer, UsageHistoryAnswer, UsageNow } from '../wire.ts'
import type { RouteTable } from './route-table.ts'

const askTimeoutMs = 5_000

/** What is not in the rows: use of processors and memory, the scheduler's reasons, the HTTP ingress. */
export function registerInsightRoutes(routes: RouteTable, node: LocalNode): void {
  routes.add('GET', '/api/usage', 'read-only', async ({ signal }) => {
    using wait = startWait({ timeoutMs: askTimeoutMs, signal, what: 'samples' })
    const { nodes } = await node.control().usage(wait)
    const answer: UsageNow = {
      nodes: Object.fromEntries(
        nodes.map(({ nodeId, cpu, memoryBytes }) => [nodeId, [round(cpu), memoryBytes]]),
      ),
      tasks: Object.fromEntries(
        nodes.flatMap(({ tasks }) =>
          tasks.map(({ taskId, cpu, memoryBytes }) => [taskId, [round(cpu), memoryBytes]] as const),
        ),
      ),
    }
    return ok(answer)
  })

  routes.add('GET', '/api/usage/{id}', 'read-only', async ({ params, signal }) => {
    using wait = startWait({ timeoutMs: askTimeoutMs, signal, what: 'samples' })
    const points = await node.control().usageOf(params['id'] ?? '', wait)
    const answer: UsageHistoryAnswer = {
      points: points.map(({ at, cpu, memoryBytes }) => [at, round(cpu), memoryBytes]),
    }
    return ok(answer)
  })

  routes.add('GET', '/api/explain/{id}', 'read-only', async ({ params }) => {
    const answer: ExplainAnswer = node.control().explain(params['id'] ?? '')
    return ok(answer)
  })

  routes.add('GET', '/api/ingress', 'read-only', async () => {
    const state = node.control().ingress()
    const answer: IngressAnswer = {
      ...state,
      // One row for each host: that is what people look for.
      routes: state.routes.flatMap(({ matches, serviceId, serviceName, port, isSecure, targets }) =>
        matches.map(({ host, path }) => ({ host, path, serviceId, serviceName, port, isSecure, targets })),
      ),
    }
    return ok(answer)
  })
}

const round = (cpu: number): number => Math.round(cpu * 1_000) / 1_000
