import type { Mirror } from '#manager/control/control.ts'
import type { ObjectEvent } from '#model/change.ts'
import { kinds } from '#model/objects.ts'
import type { LocalNode } from '../../backend.ts'
import { eventOf } from '../convert/events.ts'
import { isShown, rowOf } from '../convert/rows.ts'
import type { Changes, EventRow, Message, Row, RowKind, Snapshot } from '../wire.ts'
import { History } from './history.ts'
import type { Viewer } from './viewer.ts'

/** Changes within this span travel together: quicker than the eye, and cheap in a storm. */
const gatherMs = 80
const mostEvents = 500
/** Whoever comes back within this time gets what it missed; beyond it, what nobody watches is not turned into rows. */
const lingerMs = 60_000

interface Pending {
  readonly put: Map<string, Row>
  readonly remove: Map<string, { readonly kind: RowKind; readonly id: string }>
  readonly events: EventRow[]
}

const nothingPending = (): Pending => ({ put: new Map(), remove: new Map(), events: [] })

const contactText = (current: boolean): string =>
  JSON.stringify({ type: 'contact', current } satisfies Message)

/**
 * The cluster as rows, kept for all viewers together: each change is turned into text once, however many watch.
 * Follows whatever mirror this node has, and has nobody watch while it has none.
 */
export class Feed implements Disposable {
  readonly #node: LocalNode
  readonly #now: () => number
  readonly #viewers = new Set<Viewer>()
  readonly #following: Disposable
  readonly #events: EventRow[] = []
  #mirror: Mirror | undefined
  #subscriptions: readonly Disposable[] = []
  #history = new History(0)
  #pending = nothingPending()
  #gathering: NodeJS.Timeout | undefined
  /** When the last viewer left. */
  #leftAt: number
  /** Nobody has watched for a while: the history has a gap. */
  #isIdle = false
  /** The revision up to which viewers have been told. */
  #told = 0

  constructor(node: LocalNode, now: () => number) {
    this.#node = node
    this.#now = now
    this.#leftAt = now()
    this.#following = node.followView((mirror) => {
      this.#show(mirror)
    })
  }

  get viewers(): number {
    return this.#viewers.size
  }

  /** Starts to tell a viewer: what it has missed since `revision`, or everything. False: there is no cluster to show. */
  add(viewer: Viewer, revision: number | undefined): boolean {
    const mirror = this.#mirror
    if (mirror === undefined) return false
    this.#flush()
    if (this.#isIdle) {
      this.#isIdle = false
      this.#history = new History(this.#told)
    }
    const missed = revision === undefined ? undefined : this.#history.since(revision, this.#told)
    if (missed === undefined) viewer.send(JSON.stringify(this.#snapshot(mirror)), this.#told)
    else for (const text of missed) viewer.send(text, this.#told)
    viewer.send(contactText(mirror.current), undefined)
    this.#viewers.add(viewer)
    return true
  }

  remove(viewer: Viewer): void {
    this.#viewers.delete(viewer)
    this.#leftAt = this.#now()
    viewer[Symbol.dispose]()
  }

  [Symbol.dispose](): void {
    this.#following[Symbol.dispose]()
    clearTimeout(this.#gathering)
    this.#unsubscribe()
    for (const viewer of this.#viewers) viewer.end()
  }

  /** A manager may stop being one, and become one again with another mirror. */
  #show(mirror: Mirror | undefined): void {
    this.#unsubscribe()
    for (const viewer of this.#viewers) viewer.end()
    this.#mirror = mirror
    this.#pending = nothingPending()
    this.#told = mirror?.revision ?? 0
    this.#history = new History(this.#told)
    if (mirror === undefined) return
    this.#subscriptions = [
      mirror.subscribe((changes) => {
        this.#hear(changes)
      }),
      mirror.followContact((current) => {
        this.#broadcast(contactText(current), undefined)
      }),
    ]
  }

  #unsubscribe(): void {
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]()
    this.#subscriptions = []
  }

  #hear(changes: readonly ObjectEvent[]): void {
    if (this.#viewers.size === 0 && this.#now() - this.#leftAt > lingerMs) {
      this.#flush()
      this.#isIdle = true
      this.#remember(this.#eventsOf(changes))
      return
    }
    const { put, remove, events } = this.#pending
    events.push(...this.#eventsOf(changes))
    for (const { kind, after, before } of changes) {
      const id = (after ?? before)?.meta.id
      if (id === undefined || !isShown(kind)) continue
      const row = after === undefined ? undefined : rowOf(after)
      if (row !== undefined && before !== undefined && isSame(row, rowOf(before))) continue
      const key = `${kind}/${id}`
      if (row === undefined) {
        put.delete(key)
        remove.set(key, { kind, id })
      } else {
        remove.delete(key)
        put.set(key, row)
      }
    }
    if (put.size + remove.size + events.length === 0) return
    this.#gathering ??= setTimeout(() => {
      this.#flush()
    }, gatherMs)
  }

  #eventsOf(changes: readonly ObjectEvent[]): EventRow[] {
    const now = this.#now()
    return changes.flatMap((change) => eventOf(change, now) ?? [])
  }

  #remember(events: readonly EventRow[]): void {
    this.#events.push(...events)
    this.#events.splice(0, this.#events.length - mostEvents)
  }

  #flush(): void {
    clearTimeout(this.#gathering)
    this.#gathering = undefined
    const { put, remove, events } = this.#pending
    this.#told = this.#mirror?.revision ?? this.#told
    if (put.size + remove.size + events.length === 0) return
    this.#pending = nothingPending()
    this.#remember(events)
    const changes: Changes = {
      type: 'changes',
      revision: this.#told,
      put: [...put.values()],
      remove: [...remove.values()],
      events,
    }
    this.#broadcast(this.#history.add(changes), changes.revision)
  }

  #broadcast(text: string, revision: number | undefined): void {
    for (const viewer of this.#viewers) if (!viewer.send(text, revision)) this.remove(viewer)
  }

  #snapshot(mirror: Mirror): Snapshot {
    const rows: Row[] = []
    for (const kind of kinds)
      for (const object of mirror.list(kind)) {
        const row = rowOf(object)
        if (row !== undefined) rows.push(row)
      }
    return {
      type: 'snapshot',
      revision: this.#told,
      manager: this.#node.info().nodeId,
      rows,
      events: this.#events,
    }
  }
}

/** Most writes change what no page shows: an address, a session. */
const isSame = (row: Row, before: Row | undefined): boolean => JSON.stringify(row) === JSON.stringify(before)
