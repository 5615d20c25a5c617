import type { Http2Stream } from 'node:http2'
import { constants } from 'node:http2'
import { MureError } from '#lib/errors.ts'

/** What a call or its answer may carry: what is larger travels in a stream. */
export const maxBodyBytes = 16 * 1024 * 1024

/**
 * All bytes of a stream up to its end, as text. `invalid` when they are more than the limit, as soon as they are;
 * `unavailable` when the stream breaks off, which HTTP/2 in Node may show as an ordinary end. Leaves the stream open
 * for an answer.
 */
export function readBody(stream: Http2Stream, limitBytes: number, lost: () => MureError): Promise<string> {
  return new Promise((resolve, reject) => {
    // Its 'close' may have been before anybody listened.
    if (stream.destroyed) {
      reject(lost())
      return
    }
    const chunks: Buffer[] = []
    let bytes = 0
    const settle = (act: () => void) => {
      stream.off('data', onData).off('end', onEnd).off('close', onClose)
      act()
    }
    const onData = (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= limitBytes) chunks.push(chunk)
      else
        settle(() => {
          stream.pause()
          reject(new MureError('invalid', `a body of more than ${String(limitBytes)} bytes is too large`))
        })
    }
    const onEnd = () => {
      settle(() => {
        if (stream.rstCode === constants.NGHTTP2_NO_ERROR) resolve(Buffer.concat(chunks).toString())
        else reject(lost())
      })
    }
    const onClose = () => {
      settle(() => {
        reject(lost())
      })
    }
    stream.on('data', onData).on('end', onEnd).on('close', onClose)
  })
}
