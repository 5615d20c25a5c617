import type { LogLine } from './log-line.ts'
import type { LogWish } from './task-log.ts'

/**
 * Where a log that broke off goes on. Lines are known by their time; those of one moment (the parts of a long line)
 * are counted.
 */
export class ResumePoint {
  #time = ''
  /** Lines of that time which were seen already. */
  #seen = 0
  #repeated = 0

  /** Whether the line is new, and not one that was told before the log broke off. */
  isNew({ time }: LogLine): boolean {
    if (time < this.#time) return false
    if (time === this.#time && this.#repeated > 0) {
      this.#repeated--
      return false
    }
    this.#seen = time === this.#time ? this.#seen + 1 : 1
    this.#time = time
    return true
  }

  /** What is asked for when the log is opened again. */
  wish(first: LogWish): LogWish {
    this.#repeated = this.#seen
    return this.#time === '' ? first : { ...first, tail: 'all', since: secondsOf(this.#time) }
  }
}

/** RFC 3339 as the engine's `since` wants it: seconds of the epoch, with all nine decimals. */
function secondsOf(time: string): string {
  const decimals = /\.(\d+)Z?/.exec(time)?.[1] ?? ''
  const whole = Date.parse(time.replace(/\.\d+/, ''))
  return `${String(Math.floor(whole / 1_000))}.${decimals.padEnd(9, '0').slice(0, 9)}`
}
