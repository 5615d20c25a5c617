import { MureError } from '#lib/errors.ts'
import type { Wait } from '#lib/wait.ts'
import { newId } from '#model/id.ts'
import type { NodeId, TaskId } from '#model/id.ts'
import type { Network } from '#model/network.ts'
import type { Task } from '#model/task.ts'
import type { View } from '#store/mirror/view.ts'
import { grpcText } from './grpc-text.ts'
import type { ObjectWriter } from './objects.ts'

/** The runtime of a task that stands for a plain container's place on a network: nothing of it is run. */
const attachmentRuntime = 'attachment'

export interface AttachmentRequest {
  readonly nodeId: NodeId
  /** By id or name. */
  readonly network: string
  /** The container's, by which others on the network find it. */
  readonly name: string
}

/** A plain container's place on a network. Given back by `releaseAttachment`. */
export interface ContainerAttachment {
  readonly taskId: TaskId
  readonly network: Network
  /** CIDR notation. */
  readonly addresses: readonly string[]
}

/**
 * Takes an address for a plain container: as a task of its own, so that it is allocated like any other. Resolves when
 * the leader has given one. `not-found`: there is no such network; `forbidden`: it is not attachable.
 */
export async function attachContainer(
  writer: ObjectWriter,
  request: AttachmentRequest,
  wait: Wait,
): Promise<ContainerAttachment> {
  const network = attachable(writer.mirror, request.network)
  const now = writer.clock.now()
  const id = newId<TaskId>(writer.random)
  await writer.create(
    {
      kind: 'task',
      meta: {
        id,
        name: '',
        version: 0,
        generation: 1,
        createdAt: now,
        updatedAt: now,
        labels: {},
      },
      spec: { containers: [], networks: [{ target: network.meta.id }], runtime: attachmentRuntime },
      serviceId: '',
      serviceName: request.name,
      serviceLabels: {},
      serviceGeneration: 0,
      slot: 0,
      nodeId: request.nodeId,
      desiredState: 'running',
      attachments: [],
      ports: [],
      status: { state: 'new', since: now, message: 'created', error: '', containers: [] },
    } satisfies Task,
    wait,
  )
  try {
    const task = await attached(writer.mirror, id, wait)
    const addresses = task.attachments.find(({ networkId }) => networkId === network.meta.id)?.addresses ?? []
    return { taskId: id, network, addresses }
  } catch (error) {
    await releaseAttachment(writer, id, wait).catch(() => undefined)
    throw error
  }
}

export async function releaseAttachment(writer: ObjectWriter, taskId: TaskId, wait: Wait): Promise<void> {
  const task = writer.mirror.get('task', taskId)
  if (task === undefined) return
  if (task.spec.runtime !== attachmentRuntime)
    throw new MureError('forbidden', `task ${taskId} is not the place of a plain container`)
  await writer.remove('task', taskId, wait, () => undefined)
}

function attachable(view: View, wanted: string): Network {
  const network = view.get('network', wanted) ?? view.byName('network', wanted)
  if (network === undefined) throw new MureError('not-found', `network ${wanted} not found`)
  if (network.spec.attachable) return network
  throw new MureError(
    'forbidden',
    `Could not attach to network ${wanted}: ${grpcText('PermissionDenied', `network ${network.spec.name} not manually attachable`)}`,
  )
}

/** The task once it has its addresses; or the reason why it cannot have them. */
function attached(
  view: Pick<ObjectWriter['mirror'], 'get' | 'subscribe'>,
  id: TaskId,
  wait: Wait,
): Promise<Task> {
  return new Promise((resolve, reject) => {
    const look = (): boolean => {
      const task = view.get('task', id)
      if (task === undefined || task.attachments.length > 0) {
        end()
        if (task === undefined) reject(new MureError('not-found', 'the attachment was removed'))
        else resolve(task)
        return true
      }
      if (task.status.error !== '') wait.note(`an address: ${task.status.error}`)
      return false
    }
    const subscription = view.subscribe(() => {
      look()
    })
    const onAbort = () => {
      end()
      const reason: unknown = wait.signal.reason
      reject(
        reason instanceof MureError ? reason : new MureError('cancelled', 'stopped waiting for an address'),
      )
    }
    const end = () => {
      subscription[Symbol.dispose]()
      wait.signal.removeEventListener('abort', onAbort)
    }
    wait.signal.addEventListener('abort', onAbort, { once: true })
    if (!look() && wait.signal.aborted) onAbort()
  })
}
