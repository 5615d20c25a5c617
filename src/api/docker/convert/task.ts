import { defined } from '#lib/defined.ts'
import type { Network } from '#model/network.ts'
import type { TaskTemplate } from '#model/service.ts'
import type { Task, TaskStatus } from '#model/task.ts'
import { omitEmpty, timestamp } from './fields.ts'
import { metaFromModel } from './meta.ts'
import { networkFromModel } from './network.ts'
import { genericFromModel } from './resources.ts'
import { portFromModel } from './service.ts'
import { templateFromModel } from './template.ts'

/** Docker's `Task`. `networkOf` finds the networks of its attachments. */
export const taskFromModel = (task: Task, networkOf: NetworkOf): object => ({
  ...headOf(task),
  Spec: templateFromModel(task.spec),
  ...restOf(task, networkOf),
})

/** The JSON of `taskFromModel`. Tasks of one service share their spec, which is most of it, and so do their texts. */
export function taskToText(task: Task, networkOf: NetworkOf): string {
  const head = JSON.stringify(headOf(task)).slice(0, -1)
  const rest = JSON.stringify(restOf(task, networkOf)).slice(1)
  return `${head},"Spec":${specText(task.spec)},${rest}`
}

type NetworkOf = (id: string) => Network | undefined

const specTexts = new WeakMap<TaskTemplate, string>()

function specText(template: TaskTemplate): string {
  let text = specTexts.get(template)
  if (text === undefined) specTexts.set(template, (text = JSON.stringify(templateFromModel(template))))
  return text
}

const headOf = (task: Task): object => ({ ...metaFromModel(task.meta), Labels: {} })

function restOf(task: Task, networkOf: NetworkOf): object {
  return {
    ...defined({
      ServiceID: omitEmpty<string>(task.serviceId),
      Slot: omitEmpty(task.slot),
      NodeID: omitEmpty<string>(task.nodeId),
    }),
    Status: statusFromModel(task.status),
    DesiredState: task.desiredState,
    ...defined({
      NetworksAttachments: omitEmpty(
        task.attachments.flatMap((attachment) => {
          const network = networkOf(attachment.networkId)
          return network === undefined
            ? []
            : [{ Network: shownNetwork(network), Addresses: attachment.addresses }]
        }),
      ),
      GenericResources: omitEmpty(task.genericResources?.map(genericFromModel)),
      JobIteration: task.jobIteration === undefined ? undefined : { Index: task.jobIteration },
    }),
  }
}

const shownNetworks = new WeakMap<Network, object>()

/** Each task on a network shows the whole of it. */
function shownNetwork(network: Network): object {
  let shown = shownNetworks.get(network)
  if (shown === undefined) shownNetworks.set(network, (shown = networkFromModel(network)))
  return shown
}

function statusFromModel(status: TaskStatus): object {
  const container = status.containers[0]
  return defined({
    Timestamp: timestamp(status.since),
    State: status.state,
    Message: status.message,
    Err: omitEmpty(status.error),
    ContainerStatus: container && {
      ContainerID: container.containerId,
      PID: container.pid,
      ExitCode: container.exitCode ?? 0,
    },
    PortStatus: defined({ Ports: omitEmpty(status.hostPorts?.map(portFromModel)) }),
  })
}
