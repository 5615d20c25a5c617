import type { Network } from '#model/network.ts'
import type { TaskTemplate } from '#model/service.ts'
import type { Attachment, Task, TaskStatus } from '#model/task.ts'
import { timestamp } from './fields.ts'
import { networkFromModel } from './network.ts'
import { genericFromModel } from './resources.ts'
import { statusFromModel } from './task.ts'
import type { NetworkOf } from './task.ts'
import { templateFromModel } from './template.ts'

/**
 * The JSON of `taskFromModel`, put together by hand: a list of all tasks is long and asked for often. Tasks of one
 * service share their spec, and those of one network that: most of a task, and its text is made once.
 */
export function taskToText(task: Task, networkOf: NetworkOf): string {
  const { meta, serviceId, slot, nodeId, attachments, genericResources = [], jobIteration } = task
  const parts = [
    `{"ID":${quoted(meta.id)},"Version":{"Index":${String(meta.version)}}`,
    `"CreatedAt":"${timestamp(meta.createdAt)}","UpdatedAt":"${timestamp(meta.updatedAt)}"`,
    `"Labels":{},"Spec":${specText(task.spec)}`,
  ]
  if (serviceId !== '') parts.push(`"ServiceID":${quoted(serviceId)}`)
  if (slot !== 0) parts.push(`"Slot":${String(slot)}`)
  if (nodeId !== '') parts.push(`"NodeID":${quoted(nodeId)}`)
  parts.push(`"Status":${statusText(task.status)},"DesiredState":"${task.desiredState}"`)
  const networks = attachments.flatMap((attachment) => attachmentText(attachment, networkOf))
  if (networks.length > 0) parts.push(`"NetworksAttachments":[${networks.join()}]`)
  if (genericResources.length > 0)
    parts.push(`"GenericResources":${JSON.stringify(genericResources.map(genericFromModel))}`)
  if (jobIteration !== undefined)
    parts.push(`"JobIteration":${jobIteration === 0 ? '{}' : `{"Index":${String(jobIteration)}}`}`)
  return `${parts.join()}}`
}

const quoted = (text: string): string => JSON.stringify(text)

function statusText(status: TaskStatus): string {
  // Ports are rare, and the converter knows how they look.
  if (status.hostPorts !== undefined) return JSON.stringify(statusFromModel(status))
  const [container] = status.containers
  const parts = [
    `{"Timestamp":"${timestamp(status.since)}","State":"${status.state}","Message":${quoted(status.message)}`,
  ]
  if (status.error !== '') parts.push(`"Err":${quoted(status.error)}`)
  if (container !== undefined) {
    const { containerId, pid, exitCode = 0 } = container
    parts.push(
      `"ContainerStatus":{"ContainerID":${quoted(containerId)},"PID":${String(pid)},"ExitCode":${String(exitCode)}}`,
    )
  }
  parts.push('"PortStatus":{}}')
  return parts.join()
}

function attachmentText({ networkId, addresses }: Attachment, networkOf: NetworkOf): string[] {
  const network = networkOf(networkId)
  if (network === undefined) return []
  const given = addresses.length === 0 ? '' : `,"Addresses":${JSON.stringify(addresses)}`
  return [`{"Network":${networkText(network)}${given}}`]
}

/** What is made of an object that does not change is made once. */
function remembered<K extends object>(make: (key: K) => object): (key: K) => string {
  const texts = new WeakMap<K, string>()
  return (key) => {
    let text = texts.get(key)
    if (text === undefined) texts.set(key, (text = JSON.stringify(make(key))))
    return text
  }
}

const specText = remembered<TaskTemplate>(templateFromModel)
const networkText = remembered<Network>(networkFromModel)
