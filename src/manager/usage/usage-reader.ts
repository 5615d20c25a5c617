import type { Wait } from '#lib/wait.ts'
import { startWait } from '#lib/wait.ts'
import type { NodeId } from '#model/id.ts'
import type { ClusterUsage, UsagePoint } from '#model/usage.ts'
import type { UsageAnswer, UsageQuestion } from '#rpc/messages.ts'
import type { RpcServer } from '#rpc/transport.ts'
import type { Mirror } from '#store/mirror/view.ts'
import type { ManagerLinks } from '../dispatcher/manager-links.ts'
import type { UsageHistory } from './usage-history.ts'

const usagePath = '/v1/usage'
/** A manager that is slow has its agents' samples left out this time. */
const askTimeoutMs = 2_000
const forgetEveryMs = 60_000

export interface UsageParts {
  readonly managerId: NodeId
  readonly usage: UsageHistory
  readonly mirror: Mirror
  readonly links: ManagerLinks
}

/** Others are told what the agents of this manager have said. */
export function serveUsage(server: RpcServer, { usage }: UsageParts): Disposable {
  server.unary<UsageQuestion, UsageAnswer>('POST', usagePath, 'manager', ({ body }) =>
    Promise.resolve(answerOf(usage, body)),
  )
  const forgetting = setInterval(() => {
    usage.forgetOld()
  }, forgetEveryMs)
  return {
    [Symbol.dispose]() {
      clearInterval(forgetting)
    },
  }
}

/** The newest of all nodes, whichever manager they speak to. */
export async function clusterUsage(parts: UsageParts, wait: Wait): Promise<ClusterUsage> {
  const newest = new Map<NodeId, ClusterUsage['nodes'][number]>()
  for (const { latest } of await askAll(parts, {}, wait))
    for (const node of latest) {
      const known = newest.get(node.nodeId)
      if (known === undefined || known.at < node.at) newest.set(node.nodeId, node)
    }
  return { nodes: [...newest.values()] }
}

/** The last hour of a node or a task, put together from the managers that its agent has spoken to. */
export async function usageOf(parts: UsageParts, id: string, wait: Wait): Promise<UsagePoint[]> {
  const answers = await askAll(parts, { id }, wait)
  return answers.flatMap(({ points }) => points).sort((a, b) => a.at - b.at)
}

function answerOf(usage: UsageHistory, { id }: UsageQuestion): UsageAnswer {
  return id === undefined ? { latest: usage.latest(), points: [] } : { latest: [], points: usage.points(id) }
}

async function askAll(parts: UsageParts, question: UsageQuestion, wait: Wait): Promise<UsageAnswer[]> {
  const others = [...parts.mirror.list('node')].filter(
    ({ meta, status }) =>
      meta.id !== parts.managerId && status.state === 'ready' && status.manager?.reachability === 'reachable',
  )
  const asked = others.map(async ({ status }) => {
    using attempt = startWait({ timeoutMs: askTimeoutMs, signal: wait.signal, what: 'samples of a manager' })
    const link = await parts.links.to(status.manager?.address ?? '', attempt)
    return link.call<UsageQuestion, UsageAnswer>('POST', usagePath, question, attempt)
  })
  const answers = await Promise.allSettled(asked)
  return [
    answerOf(parts.usage, question),
    ...answers.filter((answer) => answer.status === 'fulfilled').map(({ value }) => value),
  ]
}
