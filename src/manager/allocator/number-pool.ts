/** Whole numbers of a range, the lowest free one first. */
export class NumberPool {
  readonly #taken = new Set<number>()
  readonly #last: number
  readonly #first: number
  /** No number below it is free. */
  #from: number

  constructor(first: number, last: number) {
    this.#first = first
    this.#last = last
    this.#from = first
  }

  /** This one, or else the next free one after it; the first ones come after the last. */
  takeFrom(wanted: number): number | undefined {
    for (let number = wanted; number <= this.#last; number++)
      if (!this.#taken.has(number)) {
        this.#taken.add(number)
        return number
      }
    return this.take()
  }

  take(): number | undefined {
    while (this.#from <= this.#last && this.#taken.has(this.#from)) this.#from += 1
    if (this.#from > this.#last) return undefined
    this.#taken.add(this.#from)
    return this.#from
  }

  reserve(number: number): void {
    this.#taken.add(number)
  }

  release(number: number): void {
    if (!this.#taken.delete(number) || number < this.#first) return
    this.#from = Math.min(this.#from, number)
  }
}
