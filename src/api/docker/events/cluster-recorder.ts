import { isMureError } from '#lib/errors.ts'
import type { Mirror } from '#manager/control/control.ts'
import type { LocalNode } from '../../backend.ts'
import { eventFromChange } from './from-changes.ts'
import type { ClusterEvents, DockerEvent } from './source.ts'

/** As many as Docker's engine remembers of its own. */
const mostRemembered = 256
/** Whether this node is a manager is looked at so often. */
const lookEveryMs = 500

/** What happens in the cluster while this node is a manager, remembered for a while, and told as it happens. */
export class ClusterRecorder implements ClusterEvents, Disposable {
  readonly #node: LocalNode
  readonly #remembered: DockerEvent[] = []
  readonly #followers = new Set<(event: DockerEvent) => void>()
  readonly #timer: NodeJS.Timeout
  #mirror: Mirror | undefined
  #subscription: Disposable | undefined

  constructor(node: LocalNode) {
    this.#node = node
    this.#look()
    this.#timer = setInterval(() => {
      this.#look()
    }, lookEveryMs)
    this.#timer.unref()
  }

  *past(sinceNano: bigint, untilNano: bigint): Iterable<DockerEvent> {
    for (const event of this.#remembered)
      if (event.timeNano >= sinceNano && event.timeNano < untilNano) yield event
  }

  async *follow(signal: AbortSignal): AsyncIterable<DockerEvent> {
    const waiting: DockerEvent[] = []
    let wake: (() => void) | undefined
    const follower = (event: DockerEvent) => {
      waiting.push(event)
      wake?.()
    }
    const onAbort = () => wake?.()
    this.#followers.add(follower)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      while (!signal.aborted) {
        yield* waiting.splice(0)
        if (waiting.length > 0) continue
        await new Promise<void>((resolve) => {
          wake = resolve
          if (signal.aborted) resolve()
        })
      }
    } finally {
      this.#followers.delete(follower)
      signal.removeEventListener('abort', onAbort)
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#subscription?.[Symbol.dispose]()
  }

  #look(): void {
    const mirror = this.#present()
    if (mirror === this.#mirror) return
    this.#subscription?.[Symbol.dispose]()
    this.#mirror = mirror
    this.#subscription = mirror?.subscribe((changes) => {
      for (const change of changes) {
        const event = eventFromChange(change, Date.now())
        if (event !== undefined) this.#tell(event)
      }
    })
  }

  #tell(event: DockerEvent): void {
    this.#remembered.push(event)
    if (this.#remembered.length > mostRemembered) this.#remembered.shift()
    for (const follower of this.#followers) follower(event)
  }

  #present(): Mirror | undefined {
    try {
      return this.#node.control().view
    } catch (error) {
      if (isMureError(error, 'unavailable')) return undefined
      throw error
    }
  }
}
