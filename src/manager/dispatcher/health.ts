import type { Node, NodeState } from '#model/node.ts'

/** What the leader knows of a node when it judges. All in milliseconds. */
export interface NodeSigns {
  /** Since its last beat; undefined: none came since this leader leads. */
  readonly beatAgeMs: number | undefined
  /** Since this leader leads. */
  readonly leadingMs: number
  /** Since the manager that holds the node's session last reported; undefined: never, or it is this leader. */
  readonly managerAgeMs: number | undefined
  /** How long this process itself stood still of late: beats may be waiting unread. */
  readonly ownStallMs: number
  readonly heartbeatMs: number
  /** It said farewell, and is to be back within so long. */
  readonly backWithinMs?: number | undefined
  /** Since it was found down, or said that it leaves; undefined: it is not down. */
  readonly downForMs: number | undefined
}

export interface NodeJudgement {
  readonly state: NodeState
  readonly message: string
}

/** Beats come twice a period; a node is down after as many silent periods. */
const silentPeriods = 2
/** What a new leader, or a node whose manager died, is given beyond that: agents look for another manager. */
const graceMs = 5_000
/** A manager that has not reported for as long takes its agents' beats with it. */
const managerLostMs = 1_500

/** Whether a node is alive, by its beats. Says `ready` or `down`; never wavers between two leaders. */
export function judgeNode(node: Node, signs: NodeSigns): NodeJudgement {
  const limitMs = silentPeriods * signs.heartbeatMs + signs.ownStallMs
  const managerLost = signs.managerAgeMs !== undefined && signs.managerAgeMs > managerLostMs
  if (signs.beatAgeMs === undefined) {
    // Nothing heard yet: what the last leader found stands, until the grace is over.
    const patience = limitMs + graceMs
    if (node.status.state !== 'ready' || signs.leadingMs <= patience)
      return { state: node.status.state, message: node.status.message }
    return { state: 'down', message: 'heartbeat failure' }
  }
  // What it said before it left is no sign that it is back.
  const saidBefore = signs.downForMs !== undefined && signs.beatAgeMs >= signs.downForMs
  if (saidBefore) return { state: node.status.state, message: node.status.message }
  if (signs.beatAgeMs <= limitMs) return { state: 'ready', message: '' }
  if (node.status.state === 'ready' && signs.backWithinMs !== undefined)
    return { state: 'ready', message: '' }
  if (node.status.state === 'ready' && managerLost && signs.beatAgeMs <= limitMs + graceMs)
    return { state: 'ready', message: '' }
  return { state: 'down', message: 'heartbeat failure' }
}
