import { defined } from '#lib/defined.ts'
import type { Network } from '#model/network.ts'
import type { Task, TaskStatus } from '#model/task.ts'
import { omitEmpty, timestamp } from './fields.ts'
import { metaFromModel } from './meta.ts'
import { networkFromModel } from './network.ts'
import { genericFromModel } from './resources.ts'
import { portFromModel } from './service.ts'
import { templateFromModel } from './template.ts'

/** Finds the networks of a task's attachments. */
export type NetworkOf = (id: string) => Network | undefined

/** Docker's `Task`; `task-text.ts` writes the same as text. */
export function taskFromModel(task: Task, networkOf: NetworkOf): object {
  return {
    ...metaFromModel(task.meta),
    Labels: {},
    Spec: templateFromModel(task.spec),
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
            : [defined({ Network: networkFromModel(network), Addresses: omitEmpty(attachment.addresses) })]
        }),
      ),
      GenericResources: omitEmpty(task.genericResources?.map(genericFromModel)),
      JobIteration:
        task.jobIteration === undefined ? undefined : defined({ Index: omitEmpty(task.jobIteration) }),
    }),
  }
}

export function statusFromModel(status: TaskStatus): object {
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
