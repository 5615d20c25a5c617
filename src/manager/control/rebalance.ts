import type { Wait } from '#lib/wait.ts'
import type { ServiceId } from '#model/id.ts'
import { schedulingSettings } from '#model/scheduling.ts'
import { nameOfTask } from '../explain/subject.ts'
import { allMoves, keepsItsPlaces } from '../rebalance.ts'
import type { ObjectWriter } from './objects.ts'
import { theCluster } from './the-cluster.ts'

export interface RebalanceReport {
  /** Host names. */
  readonly moves: readonly { readonly task: string; readonly from: string; readonly to: string }[]
  /** Services that are never moved, and why. */
  readonly leftAlone: readonly { readonly service: string; readonly why: string }[]
}

/** Marks the services that gain by it; the leader moves their tasks at the pace of their update policies. */
export async function rebalance(
  writer: ObjectWriter,
  { dryRun, wait }: { readonly dryRun: boolean; readonly wait: Wait },
): Promise<RebalanceReport> {
  const { mirror, clock } = writer
  const settings = schedulingSettings(theCluster(mirror).spec)
  const now = clock.now()
  const moves = allMoves(mirror, settings, now)
  if (!dryRun)
    for (const id of new Set(moves.map(({ task }) => task.serviceId as ServiceId))) {
      const version = mirror.get('service', id)?.meta.version ?? 0
      await writer.change('service', id, version, { wait }, (service) => ({
        ...service,
        meta: { ...service.meta, updatedAt: now },
        status: { ...service.status, rebalance: { startedAt: now } },
      }))
    }
  const hostname = (id: string) => mirror.get('node', id)?.status.description?.hostname ?? id
  return {
    moves: moves.map(({ task, from, to }) => ({
      task: nameOfTask(task),
      from: hostname(from),
      to: hostname(to),
    })),
    leftAlone: [...mirror.list('service')].flatMap((service) => {
      const why = service.spec.mode.type === 'replicated' ? keepsItsPlaces(service, settings) : undefined
      return why === undefined ? [] : [{ service: service.spec.name, why }]
    }),
  }
}
