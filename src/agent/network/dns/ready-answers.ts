import type { Random } from '#lib/random.ts'
import { shuffled } from '#lib/random.ts'

/** Where the records of an answer are: as many bytes each, one after the other, in no order that matters. */
export interface RecordPlaces {
  readonly at: number
  readonly count: number
  readonly bytes: number
}

interface Ready {
  readonly reply: Buffer
  readonly places: RecordPlaces
}

/** A container that asks for the same in a thousand spellings pushes out what was kept for itself alone. */
const mostOfAsker = 256
const mostQuestionBytes = 300

/**
 * Answers as they go out, by who asked and by the bytes of the question without its number. All are of one edition of
 * the names: with another they are gone.
 */
export class ReadyAnswers {
  readonly #random: Random
  readonly #ofAsker = new Map<string, Map<string, Ready>>()
  #edition = 0

  constructor(random: Random) {
    this.#random = random
  }

  find(edition: number, asker: string, question: Buffer): Buffer | undefined {
    this.#turnTo(edition)
    const ready = this.#ofAsker.get(asker)?.get(keyOf(question))
    if (ready === undefined) return undefined
    const reply = this.#reordered(ready)
    question.copy(reply, 0, 0, 2)
    return reply
  }

  /** `edition`: that of the names that the reply was made from. */
  keep(edition: number, asker: string, question: Buffer, reply: Buffer, places: RecordPlaces): void {
    if (edition !== this.#edition || question.length > mostQuestionBytes) return
    const kept = this.#ofAsker.get(asker) ?? new Map<string, Ready>()
    this.#ofAsker.set(asker, kept)
    if (kept.size >= mostOfAsker) kept.clear()
    kept.set(keyOf(question), { reply, places })
  }

  #turnTo(edition: number): void {
    if (edition === this.#edition) return
    this.#edition = edition
    this.#ofAsker.clear()
  }

  #reordered({ reply, places: { at, count, bytes } }: Ready): Buffer {
    const copy = Buffer.from(reply)
    if (count < 2) return copy
    const order = shuffled(
      this.#random,
      Array.from({ length: count }, (_, index) => index),
    )
    for (const [to, from] of order.entries())
      reply.copy(copy, at + to * bytes, at + from * bytes, at + (from + 1) * bytes)
    return copy
  }
}

const keyOf = (question: Buffer): string => question.toString('latin1', 2)
