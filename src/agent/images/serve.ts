import type { Duplex } from 'node:stream'
import type { Logger } from '#lib/logger.ts'
import type { RelayRequest } from '#rpc/messages.ts'
import { imageReceivePath, imageSendPath } from '#rpc/image-messages.ts'
import type { ImageExchange } from './exchange.ts'

/** Serves a relayed request that is about an image; false: it is not. */
export function serveImageRelay(
  request: RelayRequest,
  stream: Duplex,
  parts: { exchange: ImageExchange; logger: Logger; signal: AbortSignal },
): boolean {
  const { pathname, searchParams } = new URL(request.path, 'http://node')
  const { exchange, signal, logger } = parts
  const work =
    pathname === imageSendPath
      ? exchange.send(stream, signal)
      : pathname === imageReceivePath
        ? exchange.serveReceiving(stream, searchParams.get('image') ?? '', signal)
        : undefined
  work?.catch((error: unknown) => {
    logger.info('an exchange of an image ended early', { path: request.path, error })
    stream.destroy(error instanceof Error ? error : new Error(String(error)))
  })
  return work !== undefined
}
