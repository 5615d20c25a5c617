import type { NodeId } from '#model/id.ts'
import type { ShareAnswer } from '#rpc/image-messages.ts'

/** How many nodes one node gives an image to at a time: the others have it from these soon. */
const mostAtATime = 2

type State = 'waiting' | 'pulling' | { readonly from: NodeId }

interface Waiter {
  readonly nodeId: NodeId
  state: State
  pullHasFailed: boolean
  readonly avoid: Set<NodeId>
}

export type WaiterId = number

/** What is to be done now. `give-up`: this node can have the image from nowhere. */
export type Step =
  | { readonly type: 'tell'; readonly waiter: WaiterId; readonly answer: ShareAnswer }
  | { readonly type: 'give-up'; readonly waiter: WaiterId }
  /** Ask all nodes whether they have it; `found` takes what comes of it. */
  | { readonly type: 'search' }

/**
 * One image that nodes lack, and who gets it from where. The first downloads it while the others wait; who has it
 * gives it to some of them, and these to others. Where the registry does not have it, all nodes are searched for it.
 */
export class SharePlan {
  readonly #holders = new Set<NodeId>()
  readonly #waiters = new Map<WaiterId, Waiter>()
  #search: 'not needed' | 'under way' | 'done' = 'not needed'

  /** `isSearched`: all nodes were asked not long ago, and none had it. */
  constructor(holders: Iterable<NodeId>, isSearched = false) {
    for (const holder of holders) this.#holders.add(holder)
    if (isSearched) this.#search = 'done'
  }

  get isIdle(): boolean {
    return this.#waiters.size === 0
  }

  want(id: WaiterId, nodeId: NodeId): Step[] {
    // Whatever was thought of it: it would not ask if it had the image.
    this.#holders.delete(nodeId)
    this.#waiters.set(id, { nodeId, state: 'waiting', pullHasFailed: false, avoid: new Set() })
    return this.#settle()
  }

  have(id: WaiterId): Step[] {
    const waiter = this.#waiters.get(id)
    if (waiter === undefined) return []
    this.#holders.add(waiter.nodeId)
    return this.gone(id)
  }

  failed(id: WaiterId): Step[] {
    const waiter = this.#waiters.get(id)
    if (waiter === undefined) return []
    const steps: Step[] = []
    // Which of the two was at fault nobody knows: others may still have it from there.
    if (typeof waiter.state === 'object') waiter.avoid.add(waiter.state.from)
    else {
      waiter.pullHasFailed = true
      if (this.#search === 'not needed') {
        this.#search = 'under way'
        steps.push({ type: 'search' })
      }
    }
    waiter.state = 'waiting'
    return [...steps, ...this.#settle()]
  }

  gone(id: WaiterId): Step[] {
    this.#waiters.delete(id)
    return this.#settle()
  }

  /** It has waited for too long: it helps itself. */
  impatient(id: WaiterId): Step[] {
    const waiter = this.#waiters.get(id)
    return waiter?.state === 'waiting' ? [this.#pull(id, waiter)] : []
  }

  found(holders: Iterable<NodeId>): Step[] {
    this.#search = 'done'
    for (const holder of holders) this.#holders.add(holder)
    return this.#settle()
  }

  #settle(): Step[] {
    const steps: Step[] = []
    for (const [id, waiter] of this.#waiters) {
      if (waiter.state !== 'waiting') continue
      const usable = [...this.#holders].filter((node) => !waiter.avoid.has(node))
      const from = usable.find((node) => this.#givenBy(node) < mostAtATime)
      if (from !== undefined) {
        waiter.state = { from }
        steps.push({ type: 'tell', waiter: id, answer: { type: 'fetch', from } })
      } else if (usable.length > 0 || this.#search === 'under way') continue
      else if (waiter.pullHasFailed) {
        this.#waiters.delete(id)
        steps.push({ type: 'give-up', waiter: id })
      } else if (this.#search === 'done' || !this.#isPulled()) steps.push(this.#pull(id, waiter))
    }
    return steps
  }

  #pull(id: WaiterId, waiter: Waiter): Step {
    waiter.state = 'pulling'
    return { type: 'tell', waiter: id, answer: { type: 'pull' } }
  }

  #isPulled(): boolean {
    return [...this.#waiters.values()].some(({ state }) => state === 'pulling')
  }

  #givenBy(node: NodeId): number {
    let count = 0
    for (const { state } of this.#waiters.values())
      if (typeof state === 'object' && state.from === node) count += 1
    return count
  }
}
