import { errorText, MureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { startWait } from '#lib/wait.ts'
import { imageFetchPath, imageSharePath } from '#rpc/image-messages.ts'
import type { ImageFetch, ShareAnswer, ShareRequest } from '#rpc/image-messages.ts'
import type { MessageStream, RpcClient } from '#rpc/transport.ts'
import type { ImageSource } from '../executor/images.ts'
import type { ImageExchange } from './exchange.ts'

const openTimeoutMs = 3_000

/**
 * Images from other nodes: a manager says who is to download from the registry and who gets it from whom, so that an
 * image that many nodes need at once is downloaded once. Without a manager, each node helps itself.
 */
export class PeerImages implements ImageSource {
  readonly #exchange: ImageExchange
  readonly #client: () => RpcClient | undefined
  readonly #logger: Logger

  constructor(parts: { exchange: ImageExchange; client: () => RpcClient | undefined; logger: Logger }) {
    this.#exchange = parts.exchange
    this.#client = parts.client
    this.#logger = parts.logger
  }

  async obtain(image: string, pull: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const client = this.#client()
    const stream = client === undefined ? undefined : await this.#ask(client, signal)
    if (client === undefined || stream === undefined) {
      await pull()
      return
    }
    const close = () => {
      stream.close()
    }
    signal.addEventListener('abort', close, { once: true })
    try {
      stream.send({ type: 'want', image })
      await this.#follow(client, stream, { image, pull, signal })
    } finally {
      signal.removeEventListener('abort', close)
      await stream[Symbol.asyncDispose]()
    }
  }

  /** Does as the manager says until the image is here, or can't be had. */
  async #follow(
    client: RpcClient,
    stream: MessageStream<ShareAnswer, ShareRequest>,
    wanted: { image: string; pull: () => Promise<void>; signal: AbortSignal },
  ): Promise<void> {
    const { image, pull, signal } = wanted
    let failure: unknown
    const answers = stream[Symbol.asyncIterator]()
    for (;;) {
      const answer = await answers.next().catch(() => undefined)
      signal.throwIfAborted()
      // The manager is gone, or knows no way.
      if (answer === undefined || answer.done === true) {
        if (failure !== undefined) throw failure as Error
        await pull()
        return
      }
      try {
        if (answer.value.type === 'pull') await pull()
        else await this.#fetch(client, { image, from: answer.value.from }, signal)
        stream.send({ type: 'have' })
        return
      } catch (error) {
        signal.throwIfAborted()
        if (answer.value.type === 'pull') failure = error
        else this.#logger.info('another node did not give an image', { image, error })
        stream.send({ type: 'failed', error: errorText(error) })
      }
    }
  }

  async #ask(
    client: RpcClient,
    signal: AbortSignal,
  ): Promise<MessageStream<ShareAnswer, ShareRequest> | undefined> {
    using wait = startWait({ timeoutMs: openTimeoutMs, signal, what: 'a manager to say who has the image' })
    try {
      return await client.open<ShareAnswer, ShareRequest>(imageSharePath, wait)
    } catch (error) {
      signal.throwIfAborted()
      this.#logger.debug('no manager says who has the image', { error })
      return undefined
    }
  }

  async #fetch(client: RpcClient, fetch: ImageFetch, signal: AbortSignal): Promise<void> {
    using wait = startWait({ timeoutMs: openTimeoutMs, signal, what: 'the other node to answer' })
    const question = Buffer.from(JSON.stringify(fetch)).toString('base64url')
    const stream = await client.openRaw(`${imageFetchPath}${question}`, wait)
    try {
      const outcome = await this.#exchange.receive(stream, fetch.image, signal)
      if (outcome.type === 'failed') throw new MureError('unavailable', outcome.error)
      stream.end()
    } catch (error) {
      stream.destroy()
      throw error
    }
  }
}
