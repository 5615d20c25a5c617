import { defined } from '#lib/defined.ts'
import { MureError } from '#lib/errors.ts'
import type { Wait } from '#lib/wait.ts'
import { parseAddress } from '#model/address.ts'
import { newId } from '#model/id.ts'
import type { NodeId, TaskId } from '#model/id.ts'
import { newMeta } from '#model/meta.ts'
import { isNodeLocal } from '#model/network.ts'
import type { Network } from '#model/network.ts'
import type { Task } from '#model/task.ts'
import type { View } from '#store/mirror/view.ts'
import { grpcText } from './grpc-text.ts'
import type { ObjectWriter } from './objects.ts'
import type { AttachRequest } from '#rpc/messages.ts'
import { seen } from './seen.ts'

/** The runtime of a task that stands for a plain container's place on a network: nothing of it is run. */
const attachmentRuntime = 'attachment'

export interface AttachmentRequest extends AttachRequest {
  readonly nodeId: NodeId
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
 * the leader has given one. `not-found`: there is no such network; `forbidden`: it is not attachable, the node takes
 * nothing new, or there is no such address to have.
 */
export async function attachContainer(
  writer: ObjectWriter,
  request: AttachmentRequest,
  wait: Wait,
): Promise<ContainerAttachment> {
  const network = attachable(writer.mirror, request.network)
  refuseUnavailable(writer.mirror, request.nodeId)
  const { name, containerId, aliases, addresses: wanted } = request
  for (const address of wanted ?? [])
    if (parseAddress(address) === undefined) throw new MureError('invalid', `invalid IP address: ${address}`)
  const now = writer.clock.now()
  const id = newId<TaskId>(writer.random)
  await writer.create(
    {
      kind: 'task',
      meta: newMeta(id, now),
      spec: {
        containers: [],
        networks: [defined({ target: network.meta.id, aliases, addresses: wanted })],
        runtime: attachmentRuntime,
      },
      serviceId: '',
      serviceName: name,
      serviceLabels: {},
      serviceGeneration: 0,
      slot: 0,
      nodeId: request.nodeId,
      desiredState: 'running',
      attachments: [],
      ports: [],
      status: {
        state: 'new',
        since: now,
        message: 'created',
        error: '',
        containers: containerId === undefined ? [] : [{ name, containerId, pid: 0 }],
      },
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

/** As the scheduler has it for tasks, and said at once: nobody waits for a node to be made active again. */
function refuseUnavailable(view: View, nodeId: NodeId): void {
  const node = view.get('node', nodeId)
  const availability = node?.spec.availability ?? 'active'
  if (availability === 'active') return
  throw new MureError(
    'forbidden',
    `${attachingFailed}: node ${node?.status.description?.hostname ?? nodeId} is not available for new tasks (${availability})`,
  )
}

/** Docker's words. */
const attachingFailed =
  'attaching to network failed, make sure your network options are correct and check manager logs'

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
function attached(mirror: ObjectWriter['mirror'], id: TaskId, wait: Wait): Promise<Task> {
  return seen(
    mirror,
    () => {
      const task = mirror.get('task', id)
      if (task === undefined) throw new MureError('not-found', 'the attachment was removed')
      if (task.attachments.length > 0) return task
      if (task.status.error === '') return undefined
      wait.note(`an address: ${task.status.error}`)
      // A network that was made a moment ago has no subnet yet; for what else is missing nobody waits.
      const isAllocated = (task.spec.networks ?? []).every(({ target }) => {
        const network = mirror.get('network', target)
        return network !== undefined && (isNodeLocal(network) || network.status.vxlanId !== undefined)
      })
      if (isAllocated) throw new MureError('forbidden', `${attachingFailed}: ${task.status.error}`)
      return undefined
    },
    wait,
  )
}
