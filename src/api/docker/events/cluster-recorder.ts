import type { LocalNode } from '../../backend.ts'
import { eventFromChange } from './from-changes.ts'
import type { ClusterEvents, DockerEvent } from './source.ts'

/** As many as Docker's engine remembers of its own. */
const mostRemembered = 256

/** What happens in the cluster while this node is a manager, remembered for a while, and told as it happens. */
export class ClusterRecorder implements ClusterEvents, Disposable {
  readonly #remembered: DockerEvent[] = []
  readonly #followers = new Set<(event: DockerEvent) => void>()
  readonly #following: Disposable
  #subscription: Disposable | undefined

  constructor(node: LocalNode) {
    this.#following = node.followView((view) => {
      this.#subscription?.[Symbol.dispose]()
      this.#subscription = view?.subscribe((changes) => {
        for (const change of changes) {
          const event = eventFromChange(change, Date.now())
          if (event !== undefined) this.#tell(event)
        }
      })
    })
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
    this.#following[Symbol.dispose]()
    this.#subscription?.[Symbol.dispose]()
  }

  #tell(event: DockerEvent): void {
    this.#remembered.push(event)
    if (this.#remembered.length > mostRemembered) this.#remembered.shift()
    for (const follower of this.#followers) follower(event)
  }
}
