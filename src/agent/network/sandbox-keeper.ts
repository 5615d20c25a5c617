import type { Logger } from '#lib/logger.ts'
import { isNamespace } from './sandbox-namespace.ts'
import { SandboxKernel } from './sandbox-rules.ts'
import type { SandboxRules } from './sandbox-rules.ts'
import type { LocalEndpoint, Sandboxes } from './sandboxes.ts'

/** How many sandboxes are compared at a time. */
const atATime = 10

/** All else of this host waits meanwhile. */
const linkMs = 2_000

/** Keeps the rules in all sandboxes of this host as they are to be. Calls are made one after the other. */
export class SandboxKeeper {
  readonly #parts: KeeperParts
  readonly #kernels = new Map<string, SandboxKernel>()
  /** Those whose links were waited for in vain once: they are looked for, and not waited for again. */
  readonly #waitedFor = new Set<string>()
  #compared = 0

  constructor(parts: KeeperParts) {
    this.#parts = parts
  }

  /** A sandbox that the engine has announced and not made yet has no rules; `sync` is called again when it is there. */
  async sync(sandbox: string): Promise<void> {
    const { sandboxes, rulesOf, signal, logger } = this.#parts
    const ends = sandboxes.bySandbox().get(sandbox)
    if (ends === undefined || !(await isNamespace(sandbox))) {
      this.#kernels.delete(sandbox)
      this.#waitedFor.delete(sandbox)
      return
    }
    const kernel = this.#kernels.get(sandbox) ?? new SandboxKernel(sandbox)
    this.#kernels.set(sandbox, kernel)
    try {
      await kernel.apply(rulesOf(ends), { linkMs: this.#waitedFor.has(sandbox) ? 0 : linkMs, signal })
      this.#waitedFor.delete(sandbox)
    } catch (error) {
      // A sandbox may go at any moment; one that stays is compared again.
      this.#kernels.delete(sandbox)
      this.#waitedFor.add(sandbox)
      if (sandboxes.bySandbox().has(sandbox) && !signal.aborted)
        logger.warn('the rules of a sandbox were not written', { sandbox, error })
    }
  }

  /** The sandboxes whose rules are not as they should be, in words. */
  async differences(): Promise<string[]> {
    const found: string[] = []
    for (const sandbox of this.#parts.sandboxes.bySandbox().keys()) {
      const kernel = this.#kernels.get(sandbox)
      if (!(await isNamespace(sandbox))) continue
      if (kernel === undefined) found.push(`the rules of the sandbox ${sandbox} are not written`)
      else if (!(await kernel.isIntact())) found.push(`the rules of the sandbox ${sandbox} were changed`)
    }
    return found
  }

  /** Some of them, in turn, so that a comparison costs the same on a host of many; and those without rules. */
  async compare(): Promise<void> {
    const all = [...this.#parts.sandboxes.bySandbox().keys()]
    const from = all.length === 0 ? 0 : this.#compared % all.length
    this.#compared = from + atATime
    const inTurn = [...all.slice(from), ...all.slice(0, from)].slice(0, atATime)
    for (const sandbox of new Set([...inTurn, ...all.filter((one) => !this.#kernels.has(one))])) {
      const kernel = this.#kernels.get(sandbox)
      if (kernel !== undefined) {
        if (await kernel.isIntact()) continue
        this.#parts.logger.warn('the rules of a sandbox were changed, and are written anew', { sandbox })
        this.#kernels.delete(sandbox)
      }
      await this.sync(sandbox)
    }
  }
}

interface KeeperParts {
  readonly sandboxes: Sandboxes
  readonly rulesOf: (ends: readonly LocalEndpoint[]) => SandboxRules
  readonly signal: AbortSignal
  readonly logger: Logger
}
