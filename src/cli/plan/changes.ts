import { find } from '#api/docker/find.ts'
import { MureError } from '#lib/errors.ts'
import { startWait } from '#lib/wait.ts'
import { update } from '#model/change.ts'
import type { WhatIf } from './what-if.ts'

const soon = () => startWait({ timeoutMs: 120_000, what: 'the plan' })

export async function drain({ control }: WhatIf, wanted: string): Promise<void> {
  const node = find(control.view, 'node', wanted)
  using wait = soon()
  await control.updateNode(node.meta.id, node.meta.version, { ...node.spec, availability: 'drain' }, { wait })
}

/** As if its power were cut. */
export async function lose({ cluster, control }: WhatIf, wanted: string): Promise<void> {
  const node = find(control.view, 'node', wanted)
  await cluster.write([update({ ...node, status: { ...node.status, state: 'down', message: 'lost' } })])
}

/** `SERVICE=REPLICAS`, as `docker service scale` takes it. */
export async function scale({ control }: WhatIf, word: string): Promise<void> {
  const at = word.lastIndexOf('=')
  const count = word.slice(at + 1)
  if (at < 1 || !/^\d+$/.test(count))
    throw new MureError('invalid', `"${word}" is not SERVICE=REPLICAS, such as web=6`)
  const { meta, spec } = find(control.view, 'service', word.slice(0, at))
  if (spec.mode.type !== 'replicated')
    throw new MureError('invalid', `${spec.name} is ${spec.mode.type}: only replicated services are scaled`)
  using wait = soon()
  const mode = { type: 'replicated', replicas: Number(count) } as const
  await control.updateService(meta.id, meta.version, { ...spec, mode }, { wait })
}
