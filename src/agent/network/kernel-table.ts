import { execResult } from '#lib/exec.ts'
import { nft } from './tools.ts'

export type TableFamily = 'ip' | 'ip6' | 'inet' | 'bridge' | 'netdev'

/**
 * One of our tables in the kernel, and whether it still is as we wrote it. What the kernel showed after our last
 * change is kept, and compared with what it shows later: whoever changed it in between, it is seen.
 */
export class KernelTable {
  readonly family: TableFamily
  readonly name: string
  readonly #netns: string | undefined
  /** Undefined after a change of ours, until it is looked at. */
  #seen: string | undefined

  constructor(family: TableFamily, name: string, netns?: string) {
    this.family = family
    this.name = name
    this.#netns = netns
  }

  async write(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return
    this.#seen = undefined
    await nft(lines, this.#netns)
  }

  /** It was changed by us, along with another. */
  touched(): void {
    this.#seen = undefined
  }

  /** Undefined: there is no such table. */
  async read(): Promise<string | undefined> {
    const list = ['list', 'table', this.family, this.name]
    const { stdout, exitCode } = await (this.#netns === undefined
      ? execResult('nft', list)
      : execResult('nsenter', [`--net=${this.#netns}`, 'nft', ...list]))
    return exitCode === 0 ? stdout : undefined
  }

  async isIntact(): Promise<boolean> {
    const text = await this.read()
    if (text === undefined) return false
    const now = contentOf(text)
    const isSame = this.#seen === undefined || this.#seen === now
    if (isSame) this.#seen = now
    return isSame
  }

  async remove(): Promise<void> {
    this.#seen = undefined
    const command = ['delete', 'table', this.family, this.name]
    if (this.#netns === undefined) await execResult('nft', command)
    else await execResult('nsenter', [`--net=${this.#netns}`, 'nft', ...command])
  }
}

/** The order of a set's elements is the kernel's own affair, and may change by itself. */
const contentOf = (text: string): string =>
  text.replace(/elements = \{([^}]*)\}/g, (_, elements: string) =>
    elements
      .split(',')
      .map((element) => element.trim())
      .sort()
      .join(),
  )
