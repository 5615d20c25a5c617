import { rm } from 'node:fs/promises'
import type { Mutex } from '#lib/mutex.ts'
import { retry } from '#lib/retry.ts'
import { startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import { memberDataDir } from '#manager/membership/etcd/data-dir.ts'
import type { NodeRole } from '#model/node.ts'
import { managing } from './lazy-managing.ts'
import type { NodeCore } from './node-core.ts'
import type { NodeState } from './node-state.ts'

const roleChangeTimeoutMs = 120_000

/** Promotion and demotion of this host, as the cluster wants them. */
export class Roles {
  readonly #core: NodeCore
  /** One change of this host's standing at a time. */
  readonly #mutex: Mutex
  #wanted: NodeRole | undefined

  constructor(core: NodeCore, mutex: Mutex) {
    this.#core = core
    this.#mutex = mutex
  }

  /** Tries until it has the role, or another is wanted. */
  want(role: NodeRole): void {
    this.#wanted = role
    const work = async () => {
      if (this.#wanted === role) await this.#take(role)
    }
    this.#core.background(
      () => retry(this.#core.untilStopped(`the role of a ${role}`), { firstMs: 500, maxMs: 15_000 }, work),
      'the role was not taken',
    )
  }

  /** A host that leaves its cluster wants no role of it any more. */
  wantNone(): void {
    this.#wanted = undefined
  }

  /** The caller has the mutex. */
  async becomeManager(wait: Wait): Promise<void> {
    const { state, credentials } = this.#core
    if (state === undefined || credentials === undefined) return
    if (credentials.identity.role !== 'manager') await credentials.renew(this.#core.managerAddresses(), wait)
    const { startPromoted } = await managing()
    const remember = (next: NodeState) => this.#core.remember(next)
    const node = { state, managers: this.#core.managerAddresses(), remember }
    const promoted = await startPromoted(this.#core.parts(credentials), node, wait)
    this.#core.adopt(promoted.state, credentials, promoted.runtime)
    this.#core.agent?.reconnect()
    this.#core.options.logger.info('this node is a manager now')
  }

  #take(role: NodeRole): Promise<void> {
    return this.#mutex.run(async () => {
      const { state, credentials } = this.#core
      const hasRole = state?.role === role && (role === 'manager' || credentials?.isWorkers === true)
      if (state === undefined || hasRole) return
      using wait = startWait({
        timeoutMs: roleChangeTimeoutMs,
        signal: this.#core.stop.signal,
        what: `the role of a ${role}`,
      })
      if (role === 'manager') await this.becomeManager(wait)
      else await this.#becomeWorker(wait)
    })
  }

  async #becomeWorker(wait: Wait): Promise<void> {
    const { state, credentials, options } = this.#core
    if (state === undefined || credentials === undefined) return
    await this.#core.stopManager()
    const { peerUrl: _, ...rest } = state
    await this.#core.become({ ...rest, role: 'worker' })
    await rm(memberDataDir(options.dataDir), { recursive: true, force: true })
    await credentials.renew(this.#core.managerAddresses(), wait)
    await credentials.forgetManagerKeys()
    this.#core.agent?.reconnect()
    options.logger.info('this node is a worker now')
  }
}
