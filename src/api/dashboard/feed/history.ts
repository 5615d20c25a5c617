import type { Changes } from '../wire.ts'

/** As many messages of differences as are kept for viewers who come back. */
const mostKept = 2_000
/** And no more text than this, whatever their number. */
const mostBytes = 16 * 1024 * 1024

interface Kept {
  readonly revision: number
  readonly text: string
}

/**
 * The latest differences, ready to be sent. A revision is the whole cluster's, so a viewer may have heard the ones
 * before from another manager.
 */
export class History {
  readonly #kept: Kept[] = []
  #bytes = 0
  /** Everything after this revision is here. */
  #from: number

  constructor(revision: number) {
    this.#from = revision
  }

  add(changes: Changes): string {
    const text = JSON.stringify(changes)
    this.#kept.push({ revision: changes.revision, text })
    this.#bytes += text.length
    while (this.#kept.length > mostKept || this.#bytes > mostBytes) {
      const dropped = this.#kept.shift()
      if (dropped === undefined) break
      this.#bytes -= dropped.text.length
      this.#from = dropped.revision
    }
    return text
  }

  /** What a viewer who knows all up to `revision` has missed; undefined: more than is kept, or from a future. */
  since(revision: number, present: number): readonly string[] | undefined {
    if (revision < this.#from || revision > present) return undefined
    return this.#kept.filter((one) => one.revision > revision).map(({ text }) => text)
  }
}
