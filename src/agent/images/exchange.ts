import { Readable } from 'node:stream'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Engine } from '#engine/engine.ts'
import { splitImage } from '#engine/image-name.ts'
import { imageContents, imageIds, loadImage, saveImage, tagImage } from '#engine/image-transfer.ts'
import { errorText, isMureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import type { ImageChoice, ImageOffer, ImageOutcome, ImageRefusal, ImageWish } from '#rpc/image-messages.ts'
import { LineReader, writeLine } from '#rpc/json-lines.ts'
import { omittableLayers } from './omittable.ts'
import { withoutLayers } from './without-layers.ts'

/** Below this it costs more to ask the engine what it has than to send everything. */
const worthAskingBytes = 4 * 1024 * 1024
const parallelInspections = 8

const isPinned = (image: string): boolean => image.includes('@') || image.startsWith('sha256:')

/** Sends and receives images from engine to engine. `folder`: where layers are kept aside meanwhile. */
export class ImageExchange {
  readonly #engine: Engine
  readonly #folder: string
  readonly #logger: Logger

  constructor(parts: { engine: Engine; folder: string; logger: Logger }) {
    this.#engine = parts.engine
    this.#folder = parts.folder
    this.#logger = parts.logger
  }

  async send(stream: Duplex, signal: AbortSignal): Promise<void> {
    const reader = new LineReader(stream)
    const { image } = await reader.line<ImageWish>()
    let offer: ImageOffer
    try {
      offer = await imageContents(this.#engine, image, signal)
    } catch (error) {
      writeLine(stream, { error: errorText(error) } satisfies ImageRefusal)
      stream.end()
      return
    }
    writeLine(stream, offer)
    const { omit, isKnown } = await reader.line<ImageChoice>()
    if (isKnown) stream.end()
    else await this.#sendArchive(stream, image, offer, omit, signal)
    // What the receiver still says is for the one who brought the two together.
    for await (const _ of reader.rest()) continue
  }

  async #sendArchive(
    stream: Duplex,
    image: string,
    offer: ImageOffer,
    omit: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    // By a digest of a registry the archive would name nothing.
    const archive = await saveImage(this.#engine, isPinned(image) ? offer.id : image, signal)
    const sent = withoutLayers(archive as AsyncIterable<Buffer>, new Set(omit), this.#folder)
    await pipeline(Readable.from(sent, { objectMode: false }), stream, { signal })
  }

  /** As `receive`, with its outcome told on the stream. */
  async serveReceiving(stream: Duplex, image: string, signal: AbortSignal): Promise<void> {
    const outcome = await this.receive(stream, image, signal).catch((error: unknown): ImageOutcome => ({
      type: 'failed',
      error: errorText(error),
    }))
    writeLine(stream, outcome)
    stream.end()
  }

  /** Gets an image from whoever is at the other end. */
  async receive(stream: Duplex, image: string, signal: AbortSignal): Promise<ImageOutcome> {
    const reader = new LineReader(stream)
    writeLine(stream, { image } satisfies ImageWish)
    const answer = await reader.line<ImageOffer | ImageRefusal>()
    if ('error' in answer) return { type: 'failed', error: answer.error }
    const isKnown = await this.#has(answer.id, signal)
    const omit = isKnown ? [] : await this.#omittable(answer, signal)
    writeLine(stream, { omit, isKnown } satisfies ImageChoice)
    const layers = answer.layers.length
    if (isKnown) {
      if (!isPinned(image)) await tagImage(this.#engine, answer.id, splitImage(image), signal)
      return { type: 'received', bytes: 0, layers, sentLayers: 0 }
    }
    let bytes = 0
    async function* counted(): AsyncGenerator<Buffer> {
      for await (const chunk of reader.rest()) {
        bytes += chunk.length
        yield chunk
      }
    }
    await loadImage(this.#engine, Readable.from(counted(), { objectMode: false }), signal)
    this.#logger.info('an image came from another node', { image, bytes, omitted: omit.length })
    return { type: 'received', bytes, layers, sentLayers: layers - omit.length }
  }

  async #has(id: string, signal: AbortSignal): Promise<boolean> {
    try {
      await imageContents(this.#engine, id, signal)
      return true
    } catch (error) {
      if (isMureError(error, 'not-found')) return false
      throw error
    }
  }

  async #omittable(offer: ImageOffer, signal: AbortSignal): Promise<readonly string[]> {
    if (offer.bytes < worthAskingBytes) return []
    const ids = await imageIds(this.#engine, signal)
    const own: (readonly string[])[] = []
    const inspect = async () => {
      for (let id = ids.pop(); id !== undefined; id = ids.pop()) {
        // One that was removed meanwhile has nothing to share.
        const found = await imageContents(this.#engine, id, signal).catch(() => undefined)
        if (found !== undefined) own.push(found.layers)
      }
    }
    await Promise.all(Array.from({ length: parallelInspections }, inspect))
    return omittableLayers(offer.layers, own)
  }
}
