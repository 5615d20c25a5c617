import { isMureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { sleep, startWait } from '#lib/wait.ts'
import { update } from '#model/change.ts'
import type { Change } from '#model/change.ts'
import { heartbeatMs } from '#model/defaults.ts'
import type { NodeId } from '#model/id.ts'
import type { Node, Reachability } from '#model/node.ts'
import type { View } from '#store/mirror/view.ts'
import type { Beats } from './dispatcher/beats.ts'
import { judgeNode } from './dispatcher/health.ts'
import { GoneNodes } from './dispatcher/orphans.ts'
import type { LoopParts } from './loop.ts'
import { transactOn } from './transact-on.ts'

const judgeEveryMs = 100
/** In one transaction; the rest is found again at the next look. */
const mostChanges = 2_000
/** A manager reports four times a second. */
const unreachableAfterMs = 2_500

/** Judges all nodes, over and over, gives up what ran on those that are gone, and writes what has changed. The leader's alone. */
export async function runNodeLoop(parts: LoopParts & { beats: Beats; managerId: NodeId }): Promise<void> {
  const { leadership, clock, logger, mirror } = parts
  const since = clock.monotonicMs()
  const gone = new GoneNodes(mirror)
  using _subscription = mirror.subscribe((events) => {
    gone.hear(events, mirror)
  })
  let ownStallMs = 0
  while (!leadership.signal.aborted) {
    const asleepAt = clock.monotonicMs()
    await sleep(judgeEveryMs, leadership.signal).catch(() => undefined)
    const tick = clock.monotonicMs()
    // A stall is forgiven for as long as it lasted and then some, until the beats that waited have been read.
    ownStallMs = Math.max(tick - asleepAt - judgeEveryMs, ownStallMs - judgeEveryMs / 2, 0)
    const own = { leadingMs: tick - since, ownStallMs: ownStallMs > 50 ? ownStallMs : 0 }
    let before = new Map<string, Node>()
    const decide = () => {
      before = new Map([...mirror.list('node')].map((node) => [node.meta.id, node]))
      return [...judgeAll(parts, own), ...gone.orphans(mirror, clock.now())].slice(0, mostChanges)
    }
    if (leadership.signal.aborted || decide().length === 0) continue
    using wait = startWait({
      timeoutMs: 5_000,
      signal: leadership.signal,
      what: 'the states of nodes to be stored',
    })
    try {
      await transactOn(parts, wait, decide, leadership.fence)
      logStates(before, mirror, logger)
    } catch (error) {
      if (leadership.signal.aborted || isMureError(error, 'precondition')) return
      logger.warn('the states of nodes could not be stored yet', { error })
    }
  }
}

function logStates(before: ReadonlyMap<string, Node>, view: View, logger: Logger): void {
  for (const { meta, status } of view.list('node')) {
    const from = before.get(meta.id)?.status.state
    if (from !== undefined && from !== status.state)
      logger.info('node state', { node: meta.id, name: meta.name, from, to: status.state })
  }
}

function judgeAll(
  parts: LoopParts & { beats: Beats; managerId: NodeId },
  own: { leadingMs: number; ownStallMs: number },
): Change[] {
  const { mirror, beats, clock } = parts
  let period = 1_000
  for (const cluster of mirror.list('cluster')) period = heartbeatMs(cluster.spec)
  const changes: Change[] = []
  for (const node of mirror.list('node')) {
    const holder = node.status.session?.managerId
    const judged = judgeNode(node, {
      beatAgeMs: within(own.leadingMs, beats.ageMs(node.meta.id)),
      managerAgeMs:
        holder === undefined || holder === parts.managerId || holder === node.meta.id
          ? undefined
          : within(own.leadingMs, beats.managerAgeMs(holder)),
      heartbeatMs: period,
      backWithinMs: beats.backWithinMs(node.meta.id),
      downForMs: downForMs(node, clock.now()),
      ...own,
    })
    const manager = managerStatus(parts, node, own.leadingMs)
    const sameManager = JSON.stringify(manager) === JSON.stringify(node.status.manager)
    if (judged.state === node.status.state && judged.message === node.status.message && sameManager) continue
    changes.push(
      update({
        ...node,
        meta: { ...node.meta, updatedAt: clock.now() },
        status: {
          ...node.status,
          ...judged,
          ...(judged.state === 'down' && node.status.state !== 'down' ? { downSince: clock.now() } : {}),
          ...(manager === undefined ? {} : { manager }),
        },
      }),
    )
  }
  return changes
}

/** By the clock of another leader, perhaps: one that is ahead of ours says nothing. */
function downForMs({ status }: Node, now: number): number | undefined {
  if (status.state !== 'down' || status.downSince === undefined || now < status.downSince) return undefined
  return now - status.downSince
}

/** What was heard in an earlier time in office says nothing: its reports went to another leader since. */
const within = (leadingMs: number, ageMs: number | undefined): number | undefined =>
  ageMs !== undefined && ageMs <= leadingMs ? ageMs : undefined

/** Reachable is a manager that counts for the quorum: one that is heard, and whose member of the store keeps up. */
function managerStatus(parts: { beats: Beats; managerId: NodeId }, node: Node, leadingMs: number) {
  const { manager } = node.status
  if (manager === undefined) return undefined
  const leader = node.meta.id === parts.managerId
  const age = within(leadingMs, parts.beats.storeAgeMs(node.meta.id))
  const known = age !== undefined || leadingMs > unreachableAfterMs * 2
  const heard: Reachability = (age ?? Infinity) <= unreachableAfterMs ? 'reachable' : 'unreachable'
  return { ...manager, leader, reachability: leader ? 'reachable' : known ? heard : manager.reachability }
}
