/** Rung any number of times while nobody listens, it is answered once. */
export class Doorbell {
  #isRung = false
  #answer: (() => void) | undefined

  ring(): void {
    this.#isRung = true
    this.#answer?.()
  }

  /** What happened so far is known. */
  clear(): void {
    this.#isRung = false
  }

  /** Resolves once it was rung since it was last cleared, or after `withinMs`. One listener at a time. */
  async rung(withinMs?: number): Promise<void> {
    if (this.#isRung) return
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#answer = resolve
      if (withinMs !== undefined) timer = setTimeout(resolve, Math.min(withinMs, maxTimerMs))
    })
    clearTimeout(timer)
    this.#answer = undefined
  }
}

/** Node's timers hold no more. */
const maxTimerMs = 2 ** 31 - 1
