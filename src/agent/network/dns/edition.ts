/** The number of the present names: whatever an answer rests on advances it, and what was answered before is void. */
export class Edition {
  #now = 0

  get now(): number {
    return this.#now
  }

  advance(): void {
    this.#now += 1
  }
}
