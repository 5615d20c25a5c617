import { inspect } from 'node:util'

const shown = '[sealed]'

/**
 * A secret that passes through code which may log, print or encode it. Only `reveal` gives it out; every other way of
 * looking at it says `[sealed]`.
 */
export class Sealed<T> {
  readonly #value: T

  constructor(value: T) {
    this.#value = value
  }

  reveal(): T {
    return this.#value
  }

  toJSON(): string {
    return shown
  }

  toString(): string {
    return shown
  }

  [inspect.custom](): string {
    return shown
  }
}
