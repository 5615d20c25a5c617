import type { Clock } from '#lib/clock.ts'
import type { ObjectEvent } from '#model/change.ts'
import type { NodeId } from '#model/id.ts'
import type { IngressConfiguration } from '#model/ingress/configuration.ts'
import type { Mirror } from '#store/mirror/view.ts'
import { challengesOf } from './challenges.ts'
import { deriveIngress, ingressSettings, runsIngress } from './derive.ts'

type Send = (configuration: IngressConfiguration | undefined) => void

interface Listener {
  readonly send: Send
  /** What it was told last, as text; undefined: nothing yet. */
  told: string | undefined
}

/** Certificates run out without anything else changing. */
const lookAgainMs = 60_000

/** Tells the nodes of the HTTP ingress what they are to do, whenever that changes, and the others that it is not theirs. */
export class IngressFeed implements Disposable {
  readonly #mirror: Mirror
  readonly #clock: Clock
  readonly #listeners = new Map<NodeId, Listener>()
  readonly #subscription: Disposable
  readonly #timer: NodeJS.Timeout
  #present: { readonly configuration: IngressConfiguration; readonly text: string } | undefined
  #flushing: NodeJS.Immediate | undefined
  #isStale = true

  constructor(mirror: Mirror, clock: Clock) {
    this.#mirror = mirror
    this.#clock = clock
    this.#subscription = mirror.subscribe((events) => {
      if (events.some(concerns)) this.#schedule()
    })
    this.#timer = setInterval(() => {
      this.#schedule()
    }, lookAgainMs).unref()
  }

  add(nodeId: NodeId, send: Send): void {
    const listener = { send, told: undefined }
    this.#listeners.set(nodeId, listener)
    this.#refresh()
    this.#tell(nodeId, listener)
  }

  remove(nodeId: NodeId): void {
    this.#listeners.delete(nodeId)
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]()
    clearInterval(this.#timer)
    clearImmediate(this.#flushing)
  }

  #schedule(): void {
    this.#isStale = true
    this.#flushing ??= setImmediate(() => {
      this.#flushing = undefined
      this.#refresh()
      for (const [nodeId, listener] of this.#listeners) this.#tell(nodeId, listener)
    })
  }

  #refresh(): void {
    if (!this.#isStale) return
    this.#isStale = false
    const settings = ingressSettings(this.#mirror)
    if (settings?.enabled !== true) {
      this.#present = undefined
      return
    }
    const now = this.#clock.now()
    const { configuration } = deriveIngress(this.#mirror, settings, challengesOf(this.#mirror), now)
    this.#present = { configuration, text: JSON.stringify(configuration) }
  }

  #tell(nodeId: NodeId, listener: Listener): void {
    const node = this.#mirror.get('node', nodeId)
    const isHost = node !== undefined && runsIngress(node, ingressSettings(this.#mirror))
    const wanted = isHost ? this.#present : undefined
    const text = wanted?.text ?? ''
    if (listener.told === text) return
    listener.told = text
    listener.send(wanted?.configuration)
  }
}

/** Tasks are not among it: their addresses travel with the data plane. */
function concerns({ kind, before, after }: ObjectEvent): boolean {
  if (kind === 'service')
    return before?.spec !== after?.spec || before?.meta.generation !== after?.meta.generation
  return kind === 'cluster' || kind === 'secret' || kind === 'config' || kind === 'node'
}
