/** A value that others want to know of, now and whenever it becomes another. */
export class Observed<T> {
  #value: T
  readonly #followers = new Set<(value: T) => void>()

  constructor(value: T) {
    this.#value = value
  }

  get value(): T {
    return this.#value
  }

  set value(value: T) {
    if (value === this.#value) return
    this.#value = value
    for (const follower of [...this.#followers]) follower(value)
  }

  /** Told at once, and of each change from then on. Followers must not throw. */
  follow(follower: (value: T) => void): Disposable {
    this.#followers.add(follower)
    follower(this.#value)
    return { [Symbol.dispose]: () => this.#followers.delete(follower) }
  }
}
