import { MureError } from '#lib/errors.ts'
import type { Wait } from '#lib/wait.ts'
import type { RpcClient } from '#rpc/transport.ts'

export type Connect = (address: string, wait: Wait) => Promise<RpcClient>

/** One kept connection to each other manager, made when first needed and again after it was lost. */
export class ManagerLinks implements AsyncDisposable {
  readonly #connect: Connect
  readonly #links = new Map<string, Promise<RpcClient>>()
  #closed = false

  constructor(connect: Connect) {
    this.#connect = connect
  }

  async to(address: string, wait: Wait): Promise<RpcClient> {
    if (this.#closed) throw new MureError('unavailable', 'this manager is stopping')
    const known = this.#links.get(address)
    if (known !== undefined) {
      const client = await known.catch(() => undefined)
      if (client !== undefined && !client.signal.aborted) return client
      if (this.#links.get(address) === known) this.#links.delete(address)
    }
    const fresh = this.#links.get(address) ?? this.#connect(address, wait)
    this.#links.set(address, fresh)
    try {
      return await fresh
    } catch (error) {
      if (this.#links.get(address) === fresh) this.#links.delete(address)
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    const links = [...this.#links.values()]
    this.#links.clear()
    await Promise.allSettled(links.map(async (link) => (await link)[Symbol.asyncDispose]()))
  }
}
