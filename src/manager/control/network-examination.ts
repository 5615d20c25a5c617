import type { Duplex } from 'node:stream'
import { createInterface } from 'node:readline'
import { errorText, MureError } from '#lib/errors.ts'
import { abortable } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import { networkingDefaults } from '#model/defaults.ts'
import type { NodeId } from '#model/id.ts'
import type { ExaminationMessage, NetworkExamination, ProbePeer } from '#model/network-examination.ts'
import type { Node } from '#model/node.ts'
import { examinationPath } from '#rpc/messages.ts'
import type { RelayRequest } from '#rpc/messages.ts'
import type { View } from '#store/mirror/view.ts'

type Open = (nodeId: NodeId, request: RelayRequest, wait: Wait) => Promise<Duplex>

/** One host during an examination. */
class HostUnderExamination implements Disposable {
  readonly #stream: Duplex
  readonly #lines: AsyncIterator<string>
  readonly #wait: Wait

  constructor(stream: Duplex, wait: Wait) {
    this.#stream = stream
    this.#wait = wait
    stream.on('error', () => undefined)
    this.#lines = createInterface({ input: stream })[Symbol.asyncIterator]()
  }

  say(message: ExaminationMessage): void {
    this.#stream.write(`${JSON.stringify(message)}\n`)
  }

  async hear<T extends ExaminationMessage['type']>(
    type: T,
  ): Promise<Extract<ExaminationMessage, { type: T }>> {
    const next = await abortable(this.#lines.next(), this.#wait.signal, 'the host to answer')
    if (next.done === true) throw new MureError('unavailable', 'the host broke off its examination')
    const message = JSON.parse(next.value) as ExaminationMessage
    if (message.type !== type) throw new MureError('internal', `the host said ${message.type}, not ${type}`)
    return message as Extract<ExaminationMessage, { type: T }>
  }

  [Symbol.dispose](): void {
    this.#stream.end()
  }
}

/**
 * Asks every host what in its kernel is not as it should be, and lets each try its way to all others. All hosts are
 * ready to answer before the first one asks; what one of them cannot do holds nobody up.
 */
export async function examineNetworks(
  parts: { readonly view: View; readonly open: Open },
  options: { readonly repair: boolean; readonly wait: Wait },
): Promise<NetworkExamination> {
  const { view, open } = parts
  const { wait, repair } = options
  const nodes = [...view.list('node')].sort((a, b) => (hostnameOf(a) < hostnameOf(b) ? -1 : 1))
  const peers = nodes
    .filter(({ status }) => status.state === 'ready')
    .flatMap((node, index): ProbePeer[] => {
      const address = addressOf(node)
      return address === '' ? [] : [{ nodeId: node.meta.id, address, index: index + 1 }]
    })
  using owned = new DisposableStack()
  const begun = new Map<NodeId, HostUnderExamination>()
  const failed = new Map<NodeId, string>()
  const each = async (
    ids: Iterable<NodeId>,
    act: (id: NodeId, host: HostUnderExamination | undefined) => Promise<void>,
  ) => {
    await Promise.all(
      [...ids].map((id) =>
        act(id, begun.get(id)).catch((error: unknown) => {
          failed.set(id, errorText(error))
          begun.delete(id)
        }),
      ),
    )
  }
  await each(
    peers.map(({ nodeId }) => nodeId),
    async (id) => {
      const own = peers.find(({ nodeId }) => nodeId === id)
      if (own === undefined) return
      const request = { method: 'POST', path: examinationPath, headers: {} }
      const host = owned.use(new HostUnderExamination(await open(id, request, wait), wait))
      begun.set(id, host)
      host.say({ type: 'order', repair, own, peers: peers.filter((peer) => peer !== own) })
      await host.hear('ready')
    },
  )
  const reports = new Map<NodeId, object>()
  await each([...begun.keys()], async (id, host) => {
    host?.say({ type: 'probe' })
    const report = await host?.hear('report')
    if (report === undefined) return
    const { type: _, ...rest } = report
    reports.set(id, rest)
  })
  return {
    port: portOf(view),
    hosts: nodes.map((node) => {
      const { id } = node.meta
      const report = reports.get(id)
      const why =
        failed.get(id) ?? (node.status.state === 'ready' ? 'it has no address' : `it is ${node.status.state}`)
      return {
        nodeId: id,
        hostname: hostnameOf(node),
        ...(report ?? { unreachable: why }),
      }
    }),
  }
}

const hostnameOf = (node: Node): string => node.status.description?.hostname ?? node.meta.id

function addressOf({ status }: Node): string {
  const own = status.dataPathAddress ?? ''
  return own === '' ? status.address : own
}

function portOf(view: View): number {
  for (const cluster of view.list('cluster')) return cluster.status.networking.dataPathPort
  return networkingDefaults.dataPathPort
}
