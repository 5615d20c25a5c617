import { startWait } from '#lib/wait.ts'
import type { AttachAnswer, AttachRequest, ReleaseRequest } from '#rpc/messages.ts'
import type { RpcServer } from '#rpc/transport.ts'
import type { Control } from '../control/control.ts'

const timeoutMs = 10_000

/** Nodes ask for places of their plain containers on the cluster's networks, and give them back. */
export function serveAttachments(server: RpcServer, control: Control): void {
  server.unary<AttachRequest, AttachAnswer>(
    'POST',
    '/v1/attachments',
    'node',
    async ({ body, peer, signal }) => {
      using wait = startWait({ timeoutMs, signal, what: 'an address on the network' })
      return control.attachContainer({ ...body, nodeId: peer.nodeId }, wait)
    },
  )
  server.unary<ReleaseRequest, object>(
    'POST',
    '/v1/attachments/release',
    'node',
    async ({ body, peer, signal }) => {
      using wait = startWait({ timeoutMs, signal, what: 'the store to take an address back' })
      // A node gives back what is its own, and nothing else.
      if (control.view.get('task', body.taskId)?.nodeId === peer.nodeId)
        await control.releaseAttachment(body.taskId, wait)
      return {}
    },
  )
}
