import { MureError } from '#lib/errors.ts'
import type { NetworkId } from '#model/id.ts'
import type { Network, NetworkSpec } from '#model/network.ts'
import { usesNetwork } from '#model/secret-use.ts'
import { nameProblem } from '#model/validate/name.ts'
import { refuse } from '#model/validate/problem.ts'
import type { WriteOptions } from './control.ts'
import { grpcText } from './grpc-text.ts'
import type { ObjectWriter } from './objects.ts'

export async function createNetwork(
  writer: ObjectWriter,
  spec: NetworkSpec,
  options: WriteOptions,
): Promise<Network> {
  refuse(nameProblem('network', spec.name))
  if (writer.mirror.byName('network', spec.name) !== undefined)
    throw new MureError('already-exists', `network with name ${spec.name} already exists`)
  return writer.create(
    {
      kind: 'network',
      meta: writer.newMeta<NetworkId>(spec.name, spec.labels, options),
      spec,
      status: { ranges: spec.ipam.ranges },
    },
    options.wait,
  )
}

export function removeNetwork(writer: ObjectWriter, id: NetworkId, options: WriteOptions): Promise<void> {
  return writer.remove('network', id, options.wait, (network) => {
    for (const service of writer.mirror.list('service')) {
      if (!usesNetwork(service.spec, id, network.spec.name)) continue
      throw new MureError(
        'precondition',
        grpcText('FailedPrecondition', `network ${id} is in use by service ${service.meta.id}`),
        { details: { status: 400 } },
      )
    }
    for (const task of writer.mirror.list('task')) {
      if (!task.attachments.some((attachment) => attachment.networkId === id)) continue
      throw new MureError(
        'precondition',
        grpcText('FailedPrecondition', `network ${id} is in use by task ${task.meta.id}`),
        { details: { status: 400 } },
      )
    }
  })
}
