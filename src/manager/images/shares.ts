import type { Clock } from '#lib/clock.ts'
import { errorText } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { Semaphore } from '#lib/semaphore.ts'
import { startWait } from '#lib/wait.ts'
import type { NodeId } from '#model/id.ts'
import { compareStates } from '#model/task-state.ts'
import { imageSendPath } from '#rpc/image-messages.ts'
import type { ImageOffer, ImageRefusal, ShareAnswer, ShareRequest } from '#rpc/image-messages.ts'
import { LineReader, writeLine } from '#rpc/json-lines.ts'
import type { MessageStream } from '#rpc/transport.ts'
import type { Mirror } from '#store/mirror/view.ts'
import type { Relays } from '../dispatcher/relays.ts'
import { SharePlan } from './share-plan.ts'
import type { Step, WaiterId } from './share-plan.ts'

/** Longer than most downloads take, and shorter than a person waits for a service. */
const patienceMs = 120_000
const searchTimeoutMs = 5_000
const parallelQuestions = 16
/** Tasks of an image that is nowhere are tried again and again; the nodes are not asked each time. */
const searchAgainMs = 30_000

export type ShareStream = MessageStream<ShareRequest, ShareAnswer>

/** Tells nodes that lack an image where to have it from. */
export class ImageShares {
  readonly #mirror: Mirror
  readonly #relays: Relays
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #plans = new Map<string, SharePlan>()
  readonly #streams = new Map<WaiterId, ShareStream>()
  /** Images that no node had when they were asked, and until when that is believed. */
  readonly #nowhere = new Map<string, number>()
  #lastId: WaiterId = 0

  constructor(parts: { mirror: Mirror; relays: Relays; clock: Clock; logger: Logger }) {
    this.#clock = parts.clock
    this.#mirror = parts.mirror
    this.#relays = parts.relays
    this.#logger = parts.logger
  }

  /** Serves one node for one image; ends when it has it, or is gone. */
  async serve(nodeId: NodeId, stream: ShareStream): Promise<void> {
    const id = (this.#lastId += 1)
    this.#streams.set(id, stream)
    let image: string | undefined
    let timer: NodeJS.Timeout | undefined
    try {
      for await (const message of stream) {
        if (message.type === 'want' && image === undefined) {
          image = message.image
          const wanted = image
          timer = setTimeout(() => {
            this.#take(wanted, this.#plans.get(wanted)?.impatient(id) ?? [])
          }, patienceMs)
          this.#take(image, this.#planOf(image).want(id, nodeId))
        } else if (image !== undefined) this.#hear(image, id, message)
      }
    } finally {
      clearTimeout(timer)
      this.#streams.delete(id)
      if (image !== undefined) this.#take(image, this.#plans.get(image)?.gone(id) ?? [])
    }
  }

  #hear(image: string, id: WaiterId, message: ShareRequest): void {
    const plan = this.#plans.get(image)
    if (message.type === 'have') this.#take(image, plan?.have(id) ?? [])
    if (message.type === 'failed') this.#take(image, plan?.failed(id) ?? [])
  }

  #planOf(image: string): SharePlan {
    const known = this.#plans.get(image)
    if (known !== undefined) return known
    const isSearched = (this.#nowhere.get(image) ?? 0) > this.#clock.monotonicMs()
    const plan = new SharePlan(holdersByTasks(this.#mirror, image), isSearched)
    this.#plans.set(image, plan)
    return plan
  }

  #take(image: string, steps: readonly Step[]): void {
    for (const step of steps) {
      if (step.type === 'search') this.#search(image)
      else if (step.type === 'tell') this.#streams.get(step.waiter)?.send(step.answer)
      else this.#streams.get(step.waiter)?.close('no node has the image')
    }
    if (this.#plans.get(image)?.isIdle === true) this.#plans.delete(image)
  }

  #search(image: string): void {
    const plan = this.#plans.get(image)
    this.#nodesWith(image).then(
      (nodes) => {
        this.#noteSearch(image, nodes.length > 0)
        if (plan !== undefined && this.#plans.get(image) === plan) this.#take(image, plan.found(nodes))
      },
      (error: unknown) => {
        this.#logger.warn('the nodes could not be searched for an image', { image, error: errorText(error) })
      },
    )
  }

  #noteSearch(image: string, isFound: boolean): void {
    const now = this.#clock.monotonicMs()
    for (const [other, until] of this.#nowhere) if (until <= now) this.#nowhere.delete(other)
    if (isFound) this.#nowhere.delete(image)
    else this.#nowhere.set(image, now + searchAgainMs)
  }

  async #nodesWith(image: string): Promise<NodeId[]> {
    using wait = startWait({ timeoutMs: searchTimeoutMs, what: 'the nodes to say who has the image' })
    const limit = new Semaphore(parallelQuestions)
    const nodes = [...this.#mirror.list('node')].filter((node) => node.status.state === 'ready')
    const answers = nodes.map(({ meta }) =>
      limit.run(async () => {
        const stream = await this.#relays.open(
          meta.id,
          { method: 'POST', path: imageSendPath, headers: {} },
          wait,
        )
        const stop = () => stream.destroy()
        wait.signal.addEventListener('abort', stop, { once: true })
        try {
          writeLine(stream, { image })
          const answer = await new LineReader(stream).line<ImageOffer | ImageRefusal>()
          return 'error' in answer ? undefined : meta.id
        } finally {
          stream.destroy()
        }
      }),
    )
    const settled = await Promise.allSettled(answers)
    return settled.flatMap((one) =>
      one.status === 'fulfilled' && one.value !== undefined ? [one.value] : [],
    )
  }
}

/** Nodes that run a task of it, and so have it. */
function* holdersByTasks(mirror: Mirror, image: string): Generator<NodeId> {
  for (const task of mirror.list('task')) {
    const { state } = task.status
    if (task.nodeId === '' || compareStates(state, 'ready') < 0 || compareStates(state, 'running') > 0)
      continue
    if (task.spec.containers.every((container) => container.image !== image)) continue
    if (mirror.get('node', task.nodeId)?.status.state === 'ready') yield task.nodeId
  }
}
