import { ok } from '../../http/response.ts'
import type { Router } from '../../http/router.ts'
import { startWait } from '#lib/wait.ts'
import type { MureParts } from './index.ts'

const restoreTimeoutMs = 15 * 60_000

export function registerBackupRoutes(router: Router, { node }: MureParts): void {
  router.add('GET', '/mure/v1/backup', async () => ({
    status: 200,
    headers: { 'Content-Type': 'application/octet-stream' },
    stream: await node.backup(),
  }))

  router.add('POST', '/mure/v1/restore', async (request) => {
    using wait = startWait({
      timeoutMs: restoreTimeoutMs,
      signal: request.signal,
      what: 'the swarm to be restored',
    })
    const unlockKey = request.message.headers['mure-unlock-key']
    const nodeId = await node.restore(
      {
        listenAddress: request.query.get('listenAddress') ?? '',
        advertiseAddress: request.query.get('advertiseAddress') ?? '',
        dataPathAddress: request.query.get('dataPathAddress') ?? '',
        unlockKey: typeof unlockKey === 'string' ? unlockKey : undefined,
        backup: request.message as AsyncIterable<Buffer>,
      },
      wait,
    )
    return ok({ NodeID: nodeId })
  })
}
